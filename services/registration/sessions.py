"""Logging in, staying so, and no longer.

A session begins with a password and lasts a working day. Its refresh token is good for one use; whoever uses
an old one shows that two have it, and the session ends for both.
"""

import os
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from psycopg import Connection

from services.registration import guesses
from services.registration.domain.account import Account, LockLogin, ReportReuse, account
from services.registration.guesses import ADDRESS_FAILURES, NAME_FAILURES, Counter, Locked
from services.registration.logins import Login, Logins
from shared.bus.calls import Refused
from shared.kernel.actors import Actor, Role
from shared.kernel.clock import Clock, stamp, utc_now
from shared.kernel.errors import Refusal
from shared.kernel.ids import new_id
from shared.runtime.executor import Call, Executor
from shared.security.openid import IdTokens, NoProvider
from shared.security.tokens import LIFE, Mint, TokenExpired, TokenInvalid

Answer = dict[str, Any]
With = Callable[[Callable[[Connection[Any]], Any]], Any]

DAY = timedelta(hours=12)
_BEGIN = "INSERT INTO sessions (session, account, appointment, expires_at) VALUES (%s, %s, %s, %s)"
_KEEP = "INSERT INTO refreshes (hash, session) VALUES (%s, %s)"
_USED = "UPDATE refreshes SET successor = %s WHERE hash = %s"
_CHOOSE = "UPDATE sessions SET appointment = %s WHERE session = %s"
_END = "UPDATE sessions SET ended = true WHERE session = %s"
_OVER = "DELETE FROM sessions WHERE expires_at < %s"
_SHOWN = "INSERT INTO shown (hash, until) VALUES (%s, %s) ON CONFLICT DO NOTHING"
_SHOWN_OVER = "DELETE FROM shown WHERE until < %s"
_OF = """
SELECT session::text, account::text, appointment, expires_at, ended, successor
  FROM refreshes JOIN sessions USING (session) WHERE hash = %s FOR UPDATE
"""


class WrongLogin(Refusal):
    """登录名或密码不正确；请重新输入，忘记密码请找系统管理员。

    Login name or password is wrong; try again, or ask the administrator for a new password.
    """

    field = "name"


class NotLinked(Refusal):
    """此统一身份未绑定账号；请系统管理员绑定后再登录。

    This log-in opens no account here; ask the administrator to link it to yours.
    """

    field = "id_token"


class Sessions:
    """`with_connection` does the work, again where a connection breaks, so each piece is safe to repeat."""

    def __init__(
        self,
        logins: Logins,
        mint: Mint,
        executor: Executor,
        with_connection: With,
        clock: Clock = utc_now,
        provider: Callable[[], IdTokens] | None = None,
    ) -> None:
        """`provider`: whose log-ins count beside passwords, if anybody's."""
        self._provider = provider
        self.logins, self._mint, self._executor = logins, mint, executor
        self._with_connection, self._clock = with_connection, clock
        _, body, service = mint.source.split("/")
        self._us = Actor(service, Role.SERVICE, body)

    def login(self, visit: Any) -> Answer:
        """{access, refresh, expires_in, actor, role, body, appointments, name_shown}."""
        said = visit.fields
        return _told(lambda: self._login(said, visit.address))

    def login_by_oidc(self, visit: Any) -> Answer:
        """As `login`, for an ID token that was made for `nonce`, which is shown for the first time."""
        said = visit.fields
        return _told(lambda: self._by_oidc(said["id_token"], said["nonce"], said.get("appointment", "")))

    def refresh(self, visit: Any) -> Answer:
        """The same, for the token of a session that goes on; it is used up."""
        said = visit.fields
        return _told(lambda: self._refresh(said["refresh"], said.get("appointment", "")))

    def logout(self, visit: Any) -> Answer:
        """Ends the session of a refresh token, new or old; {}."""
        hash = _hash(visit.fields["refresh"])

        def work(connection: Connection[Any]) -> None:
            with connection.transaction():
                if found := connection.execute(_OF, (hash,)).fetchone():
                    connection.execute(_END, (found[0],))

        self._with_connection(work)
        return {}

    def check(self, id: str, password: str) -> None:
        """Refused unless it is the password of the account; counted as in a log-in."""
        login = self._with_connection(lambda connection: self.logins.by_account(connection, id))
        name = self.logins.shown(login) if login else id
        _told(lambda: self._proven(name, password, ""))

    def named(self, rows: list[Answer]) -> list[Answer]:
        """Rows with their `account`, and the names to be shown of these, looked up at once."""
        wanted = [row["account"] for row in rows]
        logins = self._with_connection(lambda connection: self.logins.by_accounts(connection, wanted))
        shown = {login.account: self.logins.shown(login) for login in logins}
        return [{**row, "name_shown": shown.get(row["account"], "")} for row in rows]

    # -- log-in

    def _login(self, said: Answer, address: str) -> Answer:
        login = self._proven(said["name"], said["password"], address)
        return self._begin(login, said.get("appointment", ""))

    def _by_oidc(self, id_token: str, nonce: str, appointment: str) -> Answer:
        if self._provider is None:
            raise NoProvider
        about, now = self._provider().read(id_token, nonce), self._clock()

        def work(connection: Connection[Any]) -> Login | None:
            with connection.transaction():
                connection.execute(_SHOWN_OVER, (now,))
                if not connection.execute(
                    _SHOWN, (_hash(f"{about.issuer}\x1f{nonce}"), about.until)
                ).rowcount:
                    raise TokenInvalid("id_token")  # somebody else's copy
                return self.logins.by_link(connection, about.issuer, about.subject)

        login = self._with_connection(work)
        if login is None:
            raise NotLinked
        return self._begin(login, appointment)

    def _proven(self, name: str, password: str, address: str) -> Login:
        """Whose name and password these are; WrongLogin or LoginLocked."""
        now = self._clock()
        counters = [Counter(self.logins.finder(name), NAME_FAILURES)]
        if address:
            counters.append(Counter(self.logins.origin(address), ADDRESS_FAILURES))
        locked = self._with_connection(lambda connection: _counted(connection, counters, now))
        login: Login | None = self._with_connection(lambda c: self.logins.by_name(c, name))
        if not self.logins.passwords.holds(login.password if login else None, password) or login is None:
            if locked[0] is not None:
                self._lock(login, locked[0], now)
            raise WrongLogin
        self._right(login, password, counters)
        return login

    def _lock(self, login: Login | None, locked: Locked, now: datetime) -> None:
        """An event, also where nobody has the name: guessing is worth knowing, and takes the same time."""
        fields = {
            "lock": new_id(),
            "account": login.account if login else "",
            "failures": locked.failures,
            "until": stamp(locked.until),
        }
        call = Call(new_id(), self._us, occurred_at=stamp(now))
        self._with_connection(lambda connection: self._executor.run(connection, LockLogin, fields, call))

    def _right(self, login: Login, password: str, counters: list[Counter]) -> None:
        outdated = login.password is not None and self.logins.passwords.outdated(login.password)
        anew = self.logins.passwords.hash(password) if outdated else ""

        def work(connection: Connection[Any]) -> None:
            with connection.transaction():
                guesses.forgive(connection, counters[0], counters[1] if len(counters) > 1 else None)
                if anew:
                    self.logins.rehash(connection, login.account, anew)

        self._with_connection(work)

    def _begin(self, login: Login, appointment: str) -> Answer:
        now, session, refresh = self._clock(), new_id(), _drawn()

        def work(connection: Connection[Any]) -> tuple[Account, str]:
            with connection.transaction():
                known: Account = self._executor.state(connection, account, login.account)
                chosen = known.chosen(appointment)
                guesses.sweep(connection, now)
                connection.execute(_OVER, (now - DAY,))
                connection.execute(_BEGIN, (session, login.account, chosen, now + DAY))
                connection.execute(_KEEP, (_hash(refresh), session))
            return known, chosen

        known, chosen = self._with_connection(work)
        return self._answer(login, known, chosen, refresh, now)

    # -- refresh

    def _refresh(self, old: str, appointment: str) -> Answer:
        now, refresh = self._clock(), _drawn()

        def work(connection: Connection[Any]) -> Any:
            with connection.transaction():
                found = connection.execute(_OF, (_hash(old),)).fetchone()
                if found is None:
                    raise TokenInvalid("refresh")
                session, id, chosen, expires_at, ended, successor = found
                if ended or expires_at < now:
                    raise TokenExpired("refresh")
                if successor is not None and successor != _hash(refresh):
                    self._reused(connection, session, id)
                    return None
                known: Account = self._executor.state(connection, account, id)
                chosen = known.chosen(appointment or chosen)
                if successor is None:  # else this very work was done, and its connection lost
                    connection.execute(_KEEP, (_hash(refresh), session))
                    connection.execute(_USED, (_hash(refresh), _hash(old)))
                    connection.execute(_CHOOSE, (chosen, session))
                return self.logins.by_account(connection, id), known, chosen

        going_on = self._with_connection(work)
        if going_on is None:
            raise TokenInvalid("refresh")
        login, known, chosen = going_on
        return self._answer(login, known, chosen, refresh, now)

    def _reused(self, connection: Connection[Any], session: str, id: str) -> None:
        connection.execute(_END, (session,))
        fields = {"session": session, "account": id}
        self._executor.within(connection, ReportReuse, fields, Call(new_id(), self._us))

    def _answer(self, login: Login, known: Account, chosen: str, refresh: str, now: datetime) -> Answer:
        role, _, body = chosen.partition("@")
        return {
            "access": self._mint.issue(Actor(login.account, Role(role), body), now),
            "refresh": refresh,
            "expires_in": int(LIFE.total_seconds()),
            "actor": login.account,
            "role": role,
            "body": body,
            "appointments": [_spelled(each) for each in known.appointments],
            "name_shown": self.logins.shown(login),
        }


def _counted(connection: Connection[Any], counters: list[Counter], now: datetime) -> list[Locked | None]:
    with connection.transaction():
        return guesses.count(connection, counters, now)


def _spelled(appointment: str) -> dict[str, str]:
    role, _, body = appointment.partition("@")
    return {"role": role, "body": body}


def _drawn() -> str:
    return urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")


def _hash(refresh: str) -> bytes:
    return sha256(refresh.encode()).digest()


def _told(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Refusal as refusal:
        raise Refused.of(refusal) from None
