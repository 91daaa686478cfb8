"""Registration on the bus: entrypoint, one call, done."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from eventlet import tpool
from eventlet.semaphore import Semaphore

from services.registration import answers, queries, schemas
from services.registration.accounts import Accounts
from services.registration.domain.account import (
    ChangePassword,
    LinkLogin,
    OpenAccount,
    account,
    lock,
    session,
)
from services.registration.domain.application import SubmitApplication, application
from services.registration.domain.errors import PersonUnknown
from services.registration.domain.person import EnrolPerson, person
from services.registration.domain.training import training
from services.registration.logins import Logins
from services.registration.operator import Operator
from services.registration.people import People
from services.registration.policies import policies
from services.registration.projections import accounts, register, staff
from services.registration.searching import Search
from services.registration.sessions import Sessions
from services.registration.showing import VIEWERS, Showing
from shared.bus.calls import Refused
from shared.kernel.actors import Role
from shared.runtime.callers import FOLLOWERS
from shared.runtime.chassis import STAFF, Built, Commands, Feed, Queries, Subscription, Visitors, rpc
from shared.runtime.definition import Definition
from shared.runtime.gauges import Gauges, Standing
from shared.runtime.operations import operated
from shared.security.keys import secret
from shared.security.openid import IdTokens, Provider
from shared.security.passwords import Passwords
from shared.security.vault import Vault
from shared.wire.answers import Decided, Done, LogPage

CLERKS = frozenset({Role.EXAM_AFFAIRS, Role.STATION_REVIEWER, Role.STATION_DIRECTOR})
TRAINING_READERS = frozenset({Role.TRAINER, Role.STATION_DIRECTOR, Role.CENTRE_OFFICER, Role.SUPERVISOR})


def _operator(connection: Any, settings: Any) -> Operator:
    return Operator(definition, connection, settings)


definition = Definition(
    name="registration",
    package=__package__,
    aggregates=(person, training, application, account, lock, session),
    schemas=schemas,
    policies=policies,
    projections=(register, accounts, staff),
    tools={"operator": _operator},
)


def _vault(workshop: Any) -> Vault:
    return Vault(secret(workshop.settings.secrets / "vault.master"))


def _sessions(workshop: Any) -> Sessions:
    """Passwords are hashed in threads, two at a time at most: each takes 64 MiB."""
    logins = Logins(_vault(workshop), Passwords(_elsewhere))
    executor, provider = workshop.executor(definition), _provider(workshop.settings)
    return Sessions(logins, workshop.mint, executor, workshop.persistently, provider=provider)


def _provider(settings: Any) -> Callable[[], IdTokens] | None:
    """Read when somebody first comes from there: its file being wrong keeps nobody else out."""
    return cache(lambda: IdTokens(Provider.read(Path(settings.oidc)))) if settings.oidc else None


_two = Semaphore(2)


def _elsewhere(work: Any, *words: Any) -> Any:
    with _two:
        return tpool.execute(work, *words)


@operated(definition)
class Registration:
    """Who takes part."""

    name = definition.name

    execute = Commands(definition)
    read = Queries(definition)
    errand: Any  # set by `operated`
    people = Built(lambda workshop: People(_vault(workshop), workshop.persistently))
    search = Built(lambda workshop: Search(workshop, _vault(workshop)))
    showing = Built(lambda workshop: Showing(workshop, _vault(workshop)))
    visit = Visitors()
    sessions = Built(_sessions)
    accounts = Built(lambda workshop: Accounts(_sessions(workshop)))
    subscription = Subscription(definition)
    feed = Feed(definition)
    gauges = Gauges()

    @rpc
    def enrol_person(self, **message: Any) -> Decided:
        """人员建档 -> {stream, version, events}."""
        return self.people.enrol(self.execute.accept(schemas.EnrolPerson, message, EnrolPerson))

    @rpc
    def erase_person(self, **message: Any) -> Decided:
        """删除个人信息: destroys the key of the person's data -> {stream, version, events}."""
        return self.people.erase(self.execute.accept(schemas.ErasePerson, message))

    @rpc
    def record_training(self, **message: Any) -> Decided:
        return self.execute(schemas.RecordTraining, message)

    @rpc
    def submit_application(self, **message: Any) -> Decided:
        """提交申请, for a person who is enrolled."""
        accepted = self.execute.accept(schemas.SubmitApplication, message)
        if not self.execute.state(person, accepted.fields["candidate"]).known:
            raise Refused.of(PersonUnknown())
        return accepted.decide(SubmitApplication, accepted.fields)

    @rpc
    def pass_station_review(self, **message: Any) -> Decided:
        return self.execute(schemas.PassStationReview, message)

    @rpc
    def reject_at_station(self, **message: Any) -> Decided:
        return self.execute(schemas.RejectAtStation, message)

    @rpc
    def pass_centre_review(self, **message: Any) -> Decided:
        return self.execute(schemas.PassCentreReview, message)

    @rpc
    def reject_at_centre(self, **message: Any) -> Decided:
        return self.execute(schemas.RejectAtCentre, message)

    @rpc
    def withdraw_application(self, **message: Any) -> Decided:
        return self.execute(schemas.WithdrawApplication, message)

    @rpc
    def application(self, **message: Any) -> answers.Application | None:
        return self.read(queries.application, schemas.ApplicationOf, message, roles=STAFF)

    @rpc
    def roster(self, **message: Any) -> list[answers.Application]:
        return self.read(queries.roster, schemas.Roster, message, roles=STAFF)

    @rpc
    def login(self, **message: Any) -> answers.Session:
        """登录 -> {access, refresh, expires_in, actor, role, body, appointments, name_shown}."""
        return self.sessions.login(self.visit(schemas.Login, message))

    @rpc
    def login_by_oidc(self, **message: Any) -> answers.Session:
        """统一身份认证登录 -> as `login`; an ID token is good for one session."""
        return self.sessions.login_by_oidc(self.visit(schemas.LoginByOidc, message))

    @rpc
    def refresh(self, **message: Any) -> answers.Session:
        """刷新登录或切换任职 -> as `login`; the refresh token is used up."""
        return self.sessions.refresh(self.visit(schemas.Refresh, message))

    @rpc
    def logout(self, **message: Any) -> Done:
        """退出登录 -> {}."""
        return self.sessions.logout(self.visit(schemas.Logout, message))

    @rpc
    def open_account(self, **message: Any) -> Decided:
        """开户 -> {stream, version, events}."""
        return self.accounts.open(self.execute.accept(schemas.OpenAccount, message, OpenAccount))

    @rpc
    def appoint(self, **message: Any) -> Decided:
        """任职."""
        return self.execute(schemas.Appoint, message)

    @rpc
    def end_appointment(self, **message: Any) -> Decided:
        """免职."""
        return self.execute(schemas.EndAppointment, message)

    @rpc
    def close_account(self, **message: Any) -> Decided:
        """销户."""
        return self.accounts.close(self.execute.accept(schemas.CloseAccount, message))

    @rpc
    def change_password(self, **message: Any) -> Decided:
        """更改密码; every session of the account ends."""
        accepted = self.execute.accept(schemas.ChangePassword, message, ChangePassword)
        return self.accounts.change_password(accepted)

    @rpc
    def link_login(self, **message: Any) -> Decided:
        """绑定统一身份认证."""
        return self.accounts.link(self.execute.accept(schemas.LinkLogin, message, LinkLogin))

    @rpc
    def list_accounts(self, **message: Any) -> list[answers.Account]:
        """账号列表, by account id, with appointments and login names."""
        roles = {Role.ADMINISTRATOR}
        return self.accounts.named(self.read(queries.accounts, schemas.Accounts, message, roles=roles))

    @rpc
    def examiners(self, **message: Any) -> list[answers.Examiner]:
        """考评员, by account id, with their bodies and names; by a login name or the beginning of an id."""
        roles = {Role.CENTRE_OFFICER, Role.SUPERVISOR}
        return self.accounts.named(
            self.read(self.accounts.examiners, schemas.Examiners, message, roles=roles)
        )

    @rpc
    def trainings(self, **message: Any) -> list[answers.Training]:
        """考前培训 that were held, newest first."""
        return self.read(queries.trainings, schemas.Trainings, message, roles=TRAINING_READERS)

    @rpc
    def applications(self, **message: Any) -> list[answers.Application]:
        """Applications, newest first, by station, batch, status and id."""
        return self.read(queries.applications, schemas.Applications, message, roles=STAFF)

    @rpc
    def applications_named(self, **message: Any) -> list[answers.Application]:
        """按姓名查找: applications at one's own station by an exact name; that one searched is an event."""
        return self.errand(self.search.named, schemas.Named, message, roles=CLERKS)

    @rpc
    def enrolled_as(self, **message: Any) -> list[answers.Enrolled]:
        """按证件查找: the id of whoever holds a document, if the name is his; that one asked is an event."""
        return self.errand(self.search.enrolled, schemas.EnrolledAs, message, roles={Role.EXAM_AFFAIRS})

    @rpc
    def identity(self, **message: Any) -> answers.Identity:
        """核对身份 -> {name, document, number, photo} of a candidate; having looked is an event."""
        return self.errand(self.showing.identity, schemas.IdentityOf, message, roles=VIEWERS)

    @rpc
    def own_applications(self, **message: Any) -> list[answers.OwnApplication]:
        """All applications of one candidate; a candidate asks about himself."""
        roles = STAFF | {Role.CANDIDATE}
        return self.read(queries.own_applications, schemas.OwnApplications, message, roles=roles)

    @rpc
    def holder(self, **message: Any) -> answers.Holder:
        """Whether a certificate's holder has this name, for the service that checks certificates."""
        return self.errand(self.people.holder, schemas.HolderOf, message, roles={Role.SERVICE})

    @rpc
    def events_after(self, **message: Any) -> LogPage:
        return self.feed.after(message)

    @rpc
    def standing(self) -> Standing:
        """How far the service has come, and what waits for whom."""
        return self.gauges(roles=FOLLOWERS)
