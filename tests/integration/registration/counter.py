"""Accounts and sessions as the service puts them together, with a clock that the test moves."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from argon2 import PasswordHasher

from services.registration.accounts import Accounts
from services.registration.logins import Logins
from services.registration.sessions import Sessions
from shared.bus.calls import Refused
from shared.kernel.actors import Actor, Role
from shared.kernel.errors import Refusal
from shared.kernel.ids import derived_id, new_id
from shared.runtime.chassis import Accepted
from shared.runtime.doors import Visit
from shared.runtime.executor import Call, Executor
from shared.security.passwords import Passwords
from shared.security.tokens import Keyring, Mint
from shared.security.vault import Vault
from tests.integration.store.office import Office

ADMINISTRATOR = Actor(derived_id("administrator"), Role.ADMINISTRATOR, "centre")
EXAMINER = derived_id("Shi")
PASSWORD = "a quiet fictional day"
NAME = "考评员测试"
_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # tests/unit/security has the real cost


class Counter:
    """`login(...)` and the like answer, or raise Refused; `now` is the clock."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.now = datetime.now(UTC)
        tokens = office.cluster.settings.tokens_folder
        self.keyring = Keyring(tokens)
        self.executor = Executor(office.definition, office.source, lambda: self.now)
        self.logins = Logins(Vault(b"m" * 32), Passwords(hasher=_QUICK))
        self.sessions = Sessions(
            self.logins, Mint.load(tokens, office.source), self.executor, self._on, lambda: self.now
        )
        self.accounts = Accounts(self.sessions)

    def _on(self, work: Callable[[Any], Any]) -> Any:
        with self.office.visit() as connection:
            return work(connection)

    def later(self, **more: float) -> None:
        self.now += timedelta(**more)

    def accepted(self, by: Actor, id: str = "", **fields: Any) -> Accepted:
        return Accepted(fields, partial(self._decide, Call(id or new_id(), by)), by)

    def _decide(self, call: Call, command: Any, fields: Any, alongside: Any = None) -> dict[str, Any]:
        try:
            return self._on(
                lambda connection: self.executor.run(connection, command, fields, call, alongside=alongside)
            )
        except Refusal as refusal:
            raise Refused.of(refusal) from None

    def open(
        self,
        account: str = EXAMINER,
        *appointments: str,
        name: str = NAME,
        password: str | None = PASSWORD,
        by: Actor = ADMINISTRATOR,
        id: str = "",
    ) -> dict[str, Any]:
        held = appointments or ("examiner@centre",)
        fields = {"account": account, "name": name, "appointments": held, "password": password}
        return self.accounts.open(self.accepted(by, id, **fields))

    def login(
        self, name: str = NAME, password: str = PASSWORD, appointment: str = "", address: str = ""
    ) -> dict[str, Any]:
        return self.sessions.login(
            Visit({"name": name, "password": password, "appointment": appointment}, address)
        )

    def refresh(self, refresh: str, appointment: str = "") -> dict[str, Any]:
        return self.sessions.refresh(Visit({"refresh": refresh, "appointment": appointment}, ""))

    def logout(self, refresh: str) -> dict[str, Any]:
        return self.sessions.logout(Visit({"refresh": refresh}, ""))

    def said(self, type: str) -> list[dict[str, Any]]:
        """The payloads of all events of a type."""
        return [draft["data"] for draft in self.office.drafts() if draft["type"] == type]
