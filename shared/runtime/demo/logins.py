"""One login per role for whoever looks around in the demo's data: fictional, and not for production."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.bus.calls import context
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id, new_id
from shared.runtime.demo.term import STATION

PASSWORD = "not-for-production"  # noqa: S105  it is printed wherever it works
KEY = "april-16"  # the batch whose staff they are
_MARK = "logins"
AT_THE_CENTRE = {
    Role.ADMINISTRATOR,
    Role.CENTRE_OFFICER,
    Role.CENTRE_REVIEWER,
    Role.CERTIFICATE_PROCESSOR,
    Role.EXAMINER,
    Role.PAPER_CUSTODIAN,
    Role.SCORE_REVIEWER,
    Role.SUPERVISOR,
}


@dataclass(frozen=True)
class Login:
    """Somebody who may log in while the data is a demo's; `account` is who he is in its events."""

    name: str
    password: str
    account: str
    role: Role
    body: str

    @property
    def appointment(self) -> str:
        return f"{self.role}@{self.body}"


def account(batch: str, role: Role) -> str:
    """Who may log in as the first of this role in the batch; empty for the other batches."""
    return derived_id("demo", batch, role) if batch == KEY else ""


def _login(role: Role) -> Login:
    body = "centre" if role in AT_THE_CENTRE else f"station-{STATION}"
    return Login(role.value, PASSWORD, account(KEY, role), role, body)


LOGINS: tuple[Login, ...] = tuple(_login(role) for role in Role if role is not Role.SERVICE)


def open_all(call: Callable[..., Any], var: Path) -> None:
    """Opens their accounts through a running registration, and notes that the data in the folder has them."""
    administrator = context(Actor(new_id(), Role.ADMINISTRATOR, "centre"))
    for login in LOGINS:
        call(
            "registration",
            "open_account",
            administrator,
            command_id=new_id(),
            account=login.account,
            name=login.name,
            password=login.password,
            appointments=[{"role": login.role.value, "body": login.body}],
        )
    _note(var)


def forget(var: Path) -> None:
    """The data that had them is gone."""
    (var / _MARK).unlink(missing_ok=True)


def _note(var: Path) -> None:
    (var / _MARK).write_text("Logins of the demo open this data. Not for production.\n", encoding="utf-8")


def shown(var: Path) -> Iterable[Login]:
    """Those that open the data in this folder: all, or none where no demo has made it."""
    return LOGINS if (var / _MARK).exists() else ()
