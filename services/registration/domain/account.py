"""账号: who may log in, and in which roles for which bodies. Name and password arrive nowhere near here."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from shared.contracts.registration import (
    AccountClosed,
    AccountLocked,
    AccountOpened,
    AppointmentEnded,
    AppointmentGiven,
    LoginLinked,
    PasswordChanged,
    RefreshTokenReused,
)
from shared.kernel.actors import Actor, Role
from shared.kernel.aggregates import Aggregate, Command, Facts
from shared.kernel.errors import DomainError, NotEntitled

_CENTRE = "centre"
_PEOPLE = tuple(role for role in Role if role is not Role.SERVICE)


@dataclass(frozen=True, kw_only=True)
class OpenAccount(Command):
    """开户. `account` is the id under which its holder acts: a candidate's own, an examiner's own."""

    account: str
    appointments: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Appoint(Command):
    """任职."""

    account: str
    role: str
    body: str


@dataclass(frozen=True, kw_only=True)
class EndAppointment(Command):
    """免职."""

    account: str
    role: str
    body: str


@dataclass(frozen=True, kw_only=True)
class CloseAccount(Command):
    """销户."""

    account: str


@dataclass(frozen=True, kw_only=True)
class ChangePassword(Command):
    """更改密码, of one's own account or by the administrator."""

    account: str


@dataclass(frozen=True, kw_only=True)
class LinkLogin(Command):
    """绑定统一身份认证."""

    account: str


@dataclass(frozen=True, kw_only=True)
class LockLogin(Command):
    """登录锁定, when too many passwords were wrong."""

    lock: str
    account: str
    failures: int
    until: str


@dataclass(frozen=True, kw_only=True)
class ReportReuse(Command):
    """刷新凭证被重复使用."""

    session: str
    account: str


class AccountExists(DomainError):
    """该账号编号已开户；请直接任职，或使用新的编号。

    This account is open already, or was closed; appoint its holder, or take a new id.
    """

    field = "account"


class AccountUnknown(DomainError):
    """没有此账号，或已销户；请核对账号编号。

    There is no such account, or it was closed; check its id.
    """

    field = "account"


class AlreadyAppointed(DomainError):
    """该账号已有此任职；无需再办。

    The account has this appointment already; there is nothing to do.
    """

    field = "role"


class NotAppointed(DomainError):
    """该账号没有此任职；请选用已有的任职，或由系统管理员任职。

    The account has no such appointment; choose one that it has, or let the administrator appoint.
    """

    field = "appointment"


class OtherBodysAccount(NotEntitled):
    """该账号属于其他机构，已记录；请由该机构或中心的系统管理员办理。

    This account belongs to another body, and the attempt was recorded; the administrator of that body or of
    the centre has to do it.
    """

    rule = "R001"
    field = "body"


class OwnAppointment(NotEntitled):
    """不能任免自己，已记录；请由另一名系统管理员办理。

    Nobody appoints himself, and the attempt was recorded; another administrator has to do it.
    """

    rule = "R015"
    field = "actor"


class SomebodyElsesPassword(NotEntitled):
    """只能更改自己的密码，已记录；遗忘密码请找系统管理员。

    You may change your own password only, and the attempt was recorded; whoever forgot his asks the
    administrator.
    """

    rule = "R015"
    field = "account"


@dataclass(frozen=True)
class Account:
    """Whether somebody may log in, and as what: `examiner@centre`, in the order in which they were given."""

    opened: bool = False
    closed: bool = False
    appointments: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        return self.opened and not self.closed

    def chosen(self, appointment: str) -> str:
        """The appointment meant, the first where none is named; NotAppointed if he has it not."""
        if not self.appointments or (appointment and appointment not in self.appointments):
            raise NotAppointed
        return appointment or self.appointments[0]


account: Aggregate[Account] = Aggregate("account", Account())
lock: Aggregate[None] = Aggregate("lock", None)
session: Aggregate[bool] = Aggregate("session", False)


def _within(by: Actor, appointments: Iterable[str]) -> None:
    """Bodies look after their own people; the centre after everybody."""
    if by.body != _CENTRE and {each.partition("@")[2] for each in appointments} != {by.body}:
        raise OtherBodysAccount


def _given(account: str, appointment: str) -> AppointmentGiven:
    role, _, body = appointment.partition("@")
    return AppointmentGiven(account=account, role=role, body=body)


def _over(by: Actor, id: str, state: Account) -> None:
    if not state.usable:
        raise AccountUnknown
    if by.id == id:
        raise OwnAppointment
    _within(by, state.appointments)


@account.decides(Role.ADMINISTRATOR)
def open_account(command: OpenAccount, state: Account) -> Facts:
    if state.opened:
        raise AccountExists
    _within(command.by, command.appointments)
    given = [_given(command.account, appointment) for appointment in command.appointments]
    return [AccountOpened(account=command.account), *given]


@account.decides(Role.ADMINISTRATOR)
def appoint(command: Appoint, state: Account) -> Facts:
    _over(command.by, command.account, state)
    appointment = f"{command.role}@{command.body}"
    _within(command.by, [appointment])
    if appointment in state.appointments:
        raise AlreadyAppointed
    return [AppointmentGiven(account=command.account, role=command.role, body=command.body)]


@account.decides(Role.ADMINISTRATOR)
def end_appointment(command: EndAppointment, state: Account) -> Facts:
    _over(command.by, command.account, state)
    if f"{command.role}@{command.body}" not in state.appointments:
        raise NotAppointed("role")
    return [AppointmentEnded(account=command.account, role=command.role, body=command.body)]


@account.decides(Role.ADMINISTRATOR)
def close(command: CloseAccount, state: Account) -> Facts:
    _over(command.by, command.account, state)
    return [AccountClosed(account=command.account)]


@account.decides(*_PEOPLE)
def change_password(command: ChangePassword, state: Account) -> Facts:
    own = command.by.id == command.account
    if not own and command.by.role is not Role.ADMINISTRATOR:
        raise SomebodyElsesPassword
    if not state.usable:
        raise AccountUnknown
    if not own:
        _within(command.by, state.appointments)
    return [PasswordChanged(account=command.account)]


@account.decides(Role.ADMINISTRATOR)
def link_login(command: LinkLogin, state: Account) -> Facts:
    _over(command.by, command.account, state)
    return [LoginLinked(account=command.account)]


@lock.decides(Role.SERVICE)
def lock_login(command: LockLogin, _state: None) -> Facts:
    return [
        AccountLocked(
            lock=command.lock, account=command.account, failures=command.failures, until=command.until
        )
    ]


@session.decides(Role.SERVICE)
def report_reuse(command: ReportReuse, reported: bool) -> Facts:
    return [] if reported else [RefreshTokenReused(session=command.session, account=command.account)]


@session.evolves
def reported(_event: RefreshTokenReused, _reported: bool) -> bool:
    return True


@account.evolves
def opened(_event: AccountOpened, state: Account) -> Account:
    return replace(state, opened=True)


@account.evolves
def closed(_event: AccountClosed, state: Account) -> Account:
    return replace(state, closed=True, appointments=())


@account.evolves
def given(event: AppointmentGiven, state: Account) -> Account:
    return replace(state, appointments=(*state.appointments, f"{event.role}@{event.body}"))


@account.evolves
def ended(event: AppointmentEnded, state: Account) -> Account:
    gone = f"{event.role}@{event.body}"
    return replace(state, appointments=tuple(each for each in state.appointments if each != gone))
