"""What callers send to certification."""

from typing import Any

from marshmallow import ValidationError

from services.certification.domain import dossier, numbers
from shared.wire.schemas import CommandSchema, Id, Many, Newest, Page, QuerySchema, Text, Words


def _is_number(text: str) -> None:
    try:
        numbers.read(text)
    except numbers.NumberInvalid:
        raise ValidationError("须为证书编号 / must be a certificate number, as 0810012003400001") from None


class CertificateNumber(Words):
    """A certificate number of any scheme."""

    kind = "certificate number"

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", True)
        super().__init__(validate=_is_number, **kwargs)


class ApproveCertificate(CommandSchema):
    command = dossier.ApproveCertificate

    dossier = Id()


class CertificateOf(QuerySchema):
    number = CertificateNumber()


class CertificatesOf(Page):
    key = "number"

    batch = Id()
    after: Any = CertificateNumber(required=False, load_default="")


class DossierOf(QuerySchema):
    application = Id()


class StatisticsOf(QuerySchema):
    batch = Id()


class StatisticsOfMany(QuerySchema):
    batches = Many(Id(), most=100)


class Waiting(Newest):
    """No arguments but the page."""

    key = "application"


class CheckOf(QuerySchema):
    number = CertificateNumber()
    name = Text(60, identity=True)


class OwnCertificates(QuerySchema):
    candidate = Id()
