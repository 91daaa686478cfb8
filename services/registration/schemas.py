"""What callers send to registration."""

import base64
import binascii
from typing import Any, get_args

from marshmallow import ValidationError, fields, validate

from services.registration.answers import Status
from services.registration.domain import account, application, person, training
from services.registration.domain.eligibility import COLLEGE, VOCATIONAL
from services.registration.domain.identity import DOCUMENTS
from shared.kernel.actors import Role
from shared.wire.schemas import (
    Body,
    Choice,
    CommandSchema,
    Digest,
    Id,
    Many,
    Maybe,
    Message,
    Newest,
    Number,
    Page,
    QuerySchema,
    Station,
    Text,
    Words,
)

STATES = get_args(Status)
KINDS = ("student", "society", "enterprise")
_PHOTO_BYTES = 200_000


class Photo(Words):
    """证件照 in base64, at most 200 kB; loaded as bytes."""

    kind = "base64 of at most 200 kB"

    def __init__(self) -> None:
        most = _PHOTO_BYTES * 4 // 3 + 4
        size = validate.Length(4, most, error="照片过大或为空 / must be a picture of at most 200 kB")
        super().__init__(required=True, validate=size)

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        text = super().deserialize(value, *args, **kwargs)
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise ValidationError("须为 base64 / must be base64") from None


class EnrolPerson(CommandSchema):
    """人员建档: the only message that carries identity; it goes into the vault and nowhere else."""

    candidate = Id()
    name = Text(60, identity=True)
    document = Choice(*DOCUMENTS)
    number = Text(18, identity=True)
    photo = Photo()


class ErasePerson(CommandSchema):
    """删除个人信息: `ground` is one of those that oblige to it (PIPL art. 47)."""

    command = person.ErasePerson

    candidate = Id()
    ground = Choice(*person.GROUNDS)


class RecordTraining(CommandSchema):
    command = training.RecordTraining

    training = Id()
    batch = Id()
    station = Station()
    occupation = Text(40)
    trainees = Many(Id())
    hours = Number(1, 2000)


class SubmitApplication(CommandSchema):
    command = application.SubmitApplication

    application = Id()
    candidate = Id()
    batch = Id()
    station = Station()
    occupation = Text(40)
    catalogue = Text(20)
    level = Number(1, 5)
    kind = Choice(*KINDS)
    held_level = Number(0, 5)
    years_in_trade = Number(0, 60)
    education = Choice("none", VOCATIONAL, COLLEGE)
    evidence = Many(Digest(), most=20)


class PassStationReview(CommandSchema):
    command = application.PassStationReview

    application = Id()


class RejectAtStation(CommandSchema):
    command = application.RejectAtStation

    application = Id()
    reason = Text(200)


class PassCentreReview(CommandSchema):
    command = application.PassCentreReview

    application = Id()


class RejectAtCentre(CommandSchema):
    command = application.RejectAtCentre

    application = Id()
    reason = Text(200)


class WithdrawApplication(CommandSchema):
    command = application.WithdrawApplication

    application = Id()
    reason = Text(200)


class ApplicationOf(QuerySchema):
    application = Id()


class Roster(Page):
    key = "application"

    batch = Id()


APPOINTABLE = tuple(role.value for role in Role if role is not Role.SERVICE)
_PASSWORD, _TOKEN = 128, 4096


class Appointment(QuerySchema):
    """任职: a role, for a body."""

    role = Choice(*APPOINTABLE)
    body = Body()


class Appointed(fields.Nested):
    """An appointment as callers write it; loaded as `role@body`."""

    kind = "{role, body}"
    default_error_messages = Message.said_of("须为 {role, body} / must be {role, body}")

    def __init__(self) -> None:
        super().__init__(Appointment, required=True)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        read = super()._deserialize(value, *args, **kwargs)
        return f"{read['role']}@{read['body']}"


class OpenAccount(CommandSchema):
    """开户: with the login name, and a password unless its holder logs in elsewhere."""

    account = Id()
    name = Text(60, identity=True)
    appointments = Many(Appointed(), most=20, required=False, load_default=())
    password = Text(_PASSWORD, identity=True, required=False)


class Appoint(CommandSchema):
    command = account.Appoint

    account = Id()
    role = Choice(*APPOINTABLE)
    body = Body()


class EndAppointment(CommandSchema):
    command = account.EndAppointment

    account = Id()
    role = Choice(*APPOINTABLE)
    body = Body()


class CloseAccount(CommandSchema):
    command = account.CloseAccount

    account = Id()


class ChangePassword(CommandSchema):
    """更改密码: one's own with the `current` one; the administrator, anybody's."""

    account = Id()
    password = Text(_PASSWORD, identity=True)
    current = Text(_PASSWORD, identity=True, required=False)


class LinkLogin(CommandSchema):
    """绑定统一身份认证: by issuer and subject of OpenID Connect."""

    account = Id()
    issuer = Text(300, identity=True)
    subject = Text(255, identity=True)


class Login(QuerySchema):
    """登录; `appointment` is `role@body`, of those that the account has, the first if none is named."""

    name = Text(60, identity=True)
    password = Text(_PASSWORD, identity=True)
    appointment = Maybe()


class LoginByOidc(QuerySchema):
    """统一身份认证登录: an ID token of the provider, and the nonce that it was asked for with."""

    id_token = Text(_TOKEN, identity=True)
    nonce = Text(200, identity=True)
    appointment = Maybe()


class Refresh(QuerySchema):
    """刷新登录, or with another `appointment` 切换任职."""

    refresh = Text(_TOKEN, identity=True)
    appointment = Maybe()


class Logout(QuerySchema):
    """退出登录."""

    refresh = Text(_TOKEN, identity=True)


class Accounts(Page):
    """账号列表."""


class Examiners(Page):
    """考评员: `text` is a login name, or the beginning of an account's id."""

    key = "account"

    station = Station(required=False, load_default="")
    text = Text(60, identity=True, required=False, load_default="")


class Trainings(Newest):
    key = "training"

    station = Station(required=False, load_default="")


class Applications(Newest):
    key = "application"

    station = Station(required=False, load_default="")
    batch = Id(required=False, load_default="")
    status = Choice(*STATES, required=False, load_default="")
    text = Text(40, required=False, load_default="")


class Named(QuerySchema):
    """按姓名查找: the whole name, whatever its width and spaces; at the own station of whoever asks."""

    name = Text(60, identity=True)
    batch = Id(required=False, load_default="")
    status = Choice(*STATES, required=False, load_default="")


class EnrolledAs(QuerySchema):
    """按证件查找: the kind and number of a document, and the whole name that stands on it."""

    document = Choice(*DOCUMENTS)
    number = Text(18, identity=True)
    name = Text(60, identity=True)


class HolderOf(QuerySchema):
    candidate = Id()
    name = Text(60, identity=True)


class IdentityOf(QuerySchema):
    """核对身份: who stands behind an application."""

    application = Id()


class OwnApplications(QuerySchema):
    candidate = Id()
