"""Accounts as the operator of registration's machine keeps them: with its database and keys, and no token.

Where no call is taken without a token, somebody has to be the first administrator. What the operator does is
an event like any other, under the name `operator`, of the body whose machine it is.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from psycopg import Connection

from services.registration import schemas
from services.registration.accounts import Accounts
from services.registration.domain.account import AccountUnknown, Appoint, account
from services.registration.logins import Logins
from services.registration.sessions import Sessions
from shared.bus.calls import Refused
from shared.kernel.actors import Actor, Role
from shared.kernel.aggregates import Command
from shared.kernel.errors import Refusal
from shared.kernel.ids import new_id
from shared.runtime.chassis import Accepted
from shared.runtime.definition import Definition, Impossible
from shared.runtime.executor import Call, Executor
from shared.runtime.settings import Settings
from shared.security.keys import secret
from shared.security.passwords import Passwords
from shared.security.tokens import Mint
from shared.security.vault import Vault
from shared.wire.schemas import CommandSchema

Answer = dict[str, Any]


class VaultElsewhere(Impossible):
    """此处没有身份库的密钥；请在运行 registration 的机器上办理，或恢复 JIANDING_SECRETS。

    The vault's key is not here: do this where registration runs, or restore JIANDING_SECRETS.
    """


class Operator:
    """Each method works on an autocommit connection of registration's role; Refused as over the bus."""

    def __init__(self, definition: Definition, connection: Connection[Any], settings: Settings) -> None:
        self._connection = connection
        self._by = Actor("operator", Role.ADMINISTRATOR, settings.body)
        source = settings.source(definition.name)
        self._executor = Executor(definition, source)
        self._logins = Logins(_vault(settings), Passwords())
        mint = Mint.load(settings.tokens_folder, source)
        self._accounts = Accounts(Sessions(self._logins, mint, self._executor, self._on))

    def open(self, name: str, appointments: list[str], password: str | None, account: str = "") -> str:
        """The id of a new account, under which its holder acts; `appointments` are spelled role@body."""
        said: Answer = {"account": account or new_id(), "name": name}
        if appointments:
            said["appointments"] = [_split(each) for each in appointments]
        if password is not None:
            said["password"] = password
        with _told():
            self._accounts.open(self._accepted(schemas.OpenAccount, said))
        return str(said["account"])

    def appoint(self, named: str, appointment: str) -> Answer:
        """One more appointment for the account with this id or login name."""
        with _told():
            said = {"account": self._found(named), **_split(appointment)}
            accepted = self._accepted(schemas.Appoint, said)
            answer: Answer = accepted.decide(Appoint, accepted.fields)
        return answer

    def close(self, named: str) -> Answer:
        """Nobody logs in with it any more."""
        with _told():
            said = {"account": self._found(named)}
            return self._accounts.close(self._accepted(schemas.CloseAccount, said))

    def rows(self, after: str, limit: int) -> list[Answer]:
        """Accounts by id, `{account, name_shown, open, appointments}`, as the log has them now."""
        return [self._row(login) for login in self._logins.page(self._connection, after, limit)]

    def _row(self, login: Any) -> Answer:
        state = self._executor.state(self._connection, account, login.account)
        return {
            "account": login.account,
            "name_shown": self._logins.shown(login),
            "open": state.usable,
            "appointments": list(state.appointments),
        }

    def _found(self, named: str) -> str:
        login = self._logins.by_name(self._connection, named)
        if login is None and _is_id(named):
            login = self._logins.by_account(self._connection, named)
        if login is None:
            raise AccountUnknown
        return login.account

    def _accepted(self, schema: type[CommandSchema], said: Answer) -> Accepted:
        fields = schema.check({"command_id": new_id(), **said})
        call = Call(fields.pop("command_id"), self._by)

        def decide(command: type[Command], fields: Answer, alongside: Any = None) -> Answer:
            return self._executor.run(self._connection, command, fields, call, alongside=alongside)

        return Accepted(fields, decide, self._by)

    def _on(self, work: Callable[[Connection[Any]], Any]) -> Any:
        return work(self._connection)


def _vault(settings: Settings) -> Vault:
    """With the key that is there: by another one nobody's name is found, nor a new one by the service."""
    key = settings.secrets / "vault.master"
    if not (key.exists() or settings.embedded_postgres):
        raise VaultElsewhere
    return Vault(secret(key))


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except Refusal as refusal:
        raise Refused.of(refusal) from None


def _split(appointment: str) -> dict[str, str]:
    role, _, body = appointment.partition("@")
    return {"role": role, "body": body}


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
