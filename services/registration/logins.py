"""Who may log in, as rows in the vault's company: names encrypted, passwords as argon2id."""

import unicodedata
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, errors

from services.registration.domain.account import AccountExists
from shared.kernel.errors import DomainError, InvalidInput
from shared.security.passwords import Passwords
from shared.security.vault import Vault

SHORTEST, LONGEST = 10, 128

_OPEN = """
INSERT INTO logins (account, finder, wrapped_key, sealed, password) VALUES (%s, %s, %s, %s, %s)
"""
_LINK = "INSERT INTO links (finder, account) VALUES (%s, %s) ON CONFLICT (finder) DO NOTHING"
_CLOSE = "UPDATE logins SET finder = NULL, password = NULL WHERE account = %s"
_UNLINK = "DELETE FROM links WHERE account = %s"
_CHANGE = "UPDATE logins SET password = %s WHERE account = %s"
_END = "UPDATE sessions SET ended = true WHERE account = %s AND NOT ended"
_BY_NAME = "SELECT account::text, wrapped_key, sealed, password FROM logins WHERE finder = %s"
_BY_LINK = """
SELECT account::text, wrapped_key, sealed, password FROM logins JOIN links USING (account)
 WHERE links.finder = %s
"""
_PAGE = """
SELECT account::text, wrapped_key, sealed, password FROM logins WHERE account > %s ORDER BY account LIMIT %s
"""
_BY_ACCOUNT = "SELECT account::text, wrapped_key, sealed, password FROM logins WHERE account = %s"
_BY_ACCOUNTS = """
SELECT account::text, wrapped_key, sealed, password FROM logins WHERE account = ANY (%s::uuid[])
"""


class NameTaken(DomainError):
    """该登录名已被使用；请换一个登录名。

    Another account has this login name; choose another one.
    """

    field = "name"


class LinkTaken(DomainError):
    """该统一身份已绑定其他账号；请核对。

    This log-in opens another account already; check which one is meant.
    """

    field = "subject"


@dataclass(frozen=True, repr=False)
class Login:
    """One row, without what it takes to find it."""

    account: str
    wrapped_key: bytes
    sealed: bytes
    password: str | None


class Logins:
    """Rows of registration's database; each method works on the caller's connection or transaction."""

    def __init__(self, vault: Vault, passwords: Passwords) -> None:
        self._vault = vault
        self.passwords = passwords

    def finder(self, name: str) -> bytes:
        """Finds a login name, however it is spelled in width and case."""
        return self._vault.finder("login", unicodedata.normalize("NFKC", name).casefold().strip())

    def origin(self, address: str) -> bytes:
        """Finds an address."""
        return self._vault.finder("address", address)

    def link(self, issuer: str, subject: str) -> bytes:
        """Finds somebody else's log-in."""
        return self._vault.finder("openid", f"{issuer}\x1f{subject}")

    def hashed(self, password: str) -> str:
        """A password as it is kept; InvalidInput for one that is too short."""
        if len(password) < SHORTEST:
            zh, en = f"不得少于 {SHORTEST} 个字符。", f"It has to have {SHORTEST} characters or more."
            raise InvalidInput("password", zh=zh, en=en)
        return self.passwords.hash(password)

    def open(self, connection: Connection[Any], account: str, name: str, password: str | None) -> None:
        """A new row; AccountExists or NameTaken."""
        wrapped, sealed = self._vault.seal(_owner(account), name.encode())
        try:
            connection.execute(_OPEN, (account, self.finder(name), wrapped, sealed, password))
        except errors.UniqueViolation as violation:
            taken = AccountExists if violation.diag.constraint_name == "logins_pkey" else NameTaken
            raise taken from None

    def by_name(self, connection: Connection[Any], name: str) -> Login | None:
        row = connection.execute(_BY_NAME, (self.finder(name),)).fetchone()
        return Login(*row) if row else None

    def by_link(self, connection: Connection[Any], issuer: str, subject: str) -> Login | None:
        row = connection.execute(_BY_LINK, (self.link(issuer, subject),)).fetchone()
        return Login(*row) if row else None

    def by_account(self, connection: Connection[Any], account: str) -> Login | None:
        row = connection.execute(_BY_ACCOUNT, (account,)).fetchone()
        return Login(*row) if row else None

    def by_accounts(self, connection: Connection[Any], accounts: list[str]) -> list[Login]:
        return [Login(*row) for row in connection.execute(_BY_ACCOUNTS, (accounts,)).fetchall()]

    def page(self, connection: Connection[Any], after: str, limit: int) -> list[Login]:
        """Up to `limit` rows behind the account `after`, by account, closed ones too."""
        return [Login(*row) for row in connection.execute(_PAGE, (after, limit)).fetchall()]

    def shown(self, login: Login) -> str:
        """The login name as it was given."""
        return self._vault.unseal(_owner(login.account), login.wrapped_key, login.sealed).decode()

    def change(self, connection: Connection[Any], account: str, password: str) -> None:
        """Another password; whoever is logged in with the old one is so no longer."""
        connection.execute(_CHANGE, (password, account))
        connection.execute(_END, (account,))

    def rehash(self, connection: Connection[Any], account: str, password: str) -> None:
        """The same password, hashed with today's parameters."""
        connection.execute(_CHANGE, (password, account))

    def close(self, connection: Connection[Any], account: str) -> None:
        """Nobody logs in any more; whose account it was can still be shown, until the key is destroyed."""
        connection.execute(_CLOSE, (account,))
        connection.execute(_UNLINK, (account,))
        connection.execute(_END, (account,))

    def bind(self, connection: Connection[Any], account: str, issuer: str, subject: str) -> None:
        """Lets somebody else's log-in open the account; LinkTaken if it opens another one."""
        if not connection.execute(_LINK, (self.link(issuer, subject), account)).rowcount:
            raise LinkTaken


def _owner(account: str) -> str:
    return f"login {account}"  # so that no row of the vault can be put here, nor the other way round
