"""What callers send to registration."""

import base64
import binascii
from typing import Any

from marshmallow import ValidationError, validate

from services.registration.domain import application, training
from services.registration.domain.eligibility import COLLEGE, VOCATIONAL
from services.registration.domain.identity import DOCUMENTS
from shared.wire.schemas import (
    Choice,
    CommandSchema,
    Digest,
    Id,
    Many,
    Number,
    Page,
    QuerySchema,
    Station,
    Text,
    Words,
)

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
