"""Whatever a caller sends to registration, he gets a command or is told which field to correct."""

import base64

import pytest

from services.registration import schemas
from shared.kernel.errors import InvalidInput
from shared.kernel.ids import derived_id
from shared.testing.schemas import ASKED, ID, PAGE, SchemaSuite

PASSWORD = "a quiet fictional day"
PHOTO = base64.b64encode(b"a picture").decode()
EXAMPLES = {
    schemas.EnrolPerson: {
        **ASKED,
        "candidate": ID,
        "name": "某甲",
        "document": "resident_id",
        "number": "11010519491231002X",
        "photo": PHOTO,
    },
    schemas.ErasePerson: {**ASKED, "candidate": ID, "ground": "consent_withdrawn"},
    schemas.RecordTraining: {
        **ASKED,
        "training": ID,
        "batch": ID,
        "station": "10012003",
        "occupation": "6-04-02-05",
        "trainees": [derived_id("candidate", "1"), derived_id("candidate", "2")],
        "hours": 40,
    },
    schemas.SubmitApplication: {
        **ASKED,
        "application": ID,
        "candidate": ID,
        "batch": ID,
        "station": "10012003",
        "occupation": "6-04-02-05",
        "catalogue": "1999",
        "level": 4,
        "kind": "society",
        "held_level": 5,
        "years_in_trade": 2,
        "education": "none",
        "evidence": ["0f" * 32],
    },
    schemas.PassStationReview: {**ASKED, "application": ID},
    schemas.RejectAtStation: {**ASKED, "application": ID, "reason": "证件不全"},
    schemas.PassCentreReview: {**ASKED, "application": ID},
    schemas.RejectAtCentre: {**ASKED, "application": ID, "reason": "工龄不足"},
    schemas.WithdrawApplication: {**ASKED, "application": ID, "reason": "本人要求"},
    schemas.ApplicationOf: {"application": ID},
    schemas.Roster: {**PAGE, "batch": ID},
    schemas.Appointment: {"role": "examiner", "body": "centre"},
    schemas.OpenAccount: {
        **ASKED,
        "account": ID,
        "name": "某乙",
        "appointments": [{"role": "examiner", "body": "station-10012003"}],
        "password": PASSWORD,
    },
    schemas.Appoint: {**ASKED, "account": ID, "role": "examiner", "body": "centre"},
    schemas.EndAppointment: {**ASKED, "account": ID, "role": "examiner", "body": "centre"},
    schemas.CloseAccount: {**ASKED, "account": ID},
    schemas.ChangePassword: {**ASKED, "account": ID, "password": PASSWORD, "current": PASSWORD},
    schemas.LinkLogin: {**ASKED, "account": ID, "issuer": "https://id.example", "subject": "a-17"},
    schemas.Login: {"name": "某乙", "password": PASSWORD},
    schemas.LoginByOidc: {"id_token": "x" * 900, "nonce": "y" * 43},
    schemas.Refresh: {"refresh": "x" * 43},
    schemas.Logout: {"refresh": "x" * 43},
    schemas.Accounts: PAGE,
    schemas.Applications: {**PAGE, "station": "10012003", "batch": ID, "status": "submitted", "text": "0199"},
    schemas.Examiners: {**PAGE, "station": "10012003", "text": "examiner"},
    schemas.Trainings: {**PAGE, "station": "10012003"},
    schemas.OwnApplications: {"candidate": ID},
    schemas.IdentityOf: {"application": ID},
    schemas.Named: {"name": "某甲", "batch": ID, "status": "submitted"},
    schemas.EnrolledAs: {"document": "passport", "number": "E1234567", "name": "某甲"},
    schemas.HolderOf: {"candidate": ID, "name": "某乙"},
}
# what identifies somebody, or proves that it is he, goes elsewhere first: people.py, searching.py, logins.py,
# sessions.py
BY_ANOTHER_WAY = {
    schemas.EnrolPerson,
    schemas.OpenAccount,
    schemas.ChangePassword,
    schemas.LinkLogin,
    schemas.Login,
    schemas.LoginByOidc,
    schemas.Refresh,
    schemas.Logout,
    schemas.HolderOf,
    schemas.Named,
    schemas.EnrolledAs,
    schemas.Examiners,
}


class TestSchemas(SchemaSuite):
    schemas = schemas
    examples = EXAMPLES
    by_another_way = BY_ANOTHER_WAY
    optional = (
        (schemas.Applications, "station"),
        (schemas.Applications, "batch"),
        (schemas.Applications, "status"),
        (schemas.Applications, "text"),
        (schemas.Examiners, "station"),
        (schemas.Examiners, "text"),
        (schemas.Trainings, "station"),
        (schemas.Named, "batch"),
        (schemas.Named, "status"),
        (schemas.OpenAccount, "appointments"),
        (schemas.OpenAccount, "password"),
        (schemas.ChangePassword, "current"),
    )
    out_of_range = (
        (schemas.EnrolPerson, "photo", "not base64!"),
        (schemas.EnrolPerson, "photo", "照片照片"),
        (schemas.EnrolPerson, "document", "library_card"),
        (schemas.EnrolPerson, "name", "某\n甲"),
        (schemas.ErasePerson, "ground", "because"),
        (schemas.RecordTraining, "hours", 0),
        (schemas.RecordTraining, "trainees", [ID, ID]),
        (schemas.SubmitApplication, "level", 6),
        (schemas.SubmitApplication, "level", True),
        (schemas.SubmitApplication, "held_level", "5"),
        (schemas.SubmitApplication, "station", "1001200３"),
        (schemas.SubmitApplication, "candidate", ID.upper()),
        (schemas.SubmitApplication, "evidence", ["0F" * 32]),
        (schemas.Roster, "limit", 501),
        (schemas.Appoint, "role", "service"),
        (schemas.Appoint, "body", "station-1001200３"),
        (schemas.OpenAccount, "appointments", [{"role": "examiner"}]),
        (schemas.OpenAccount, "appointments", [{"role": "examiner", "body": "centre", "more": 1}]),
        (schemas.OpenAccount, "appointments", [{"role": "examiner", "body": "centre"}] * 2),
        (schemas.Login, "appointment", "x" * 61),
        (schemas.Login, "appointment", "a\nb"),
        (schemas.Login, "password", "x" * 129),
    )


def test_a_photo_is_loaded_as_bytes():
    assert schemas.EnrolPerson().read(EXAMPLES[schemas.EnrolPerson])["photo"] == b"a picture"


def test_a_refusal_never_repeats_what_was_sent():
    with pytest.raises(InvalidInput) as refusal:
        schemas.EnrolPerson().read({**EXAMPLES[schemas.EnrolPerson], "number": "11010519491231002X9"})
    assert "1949" not in str(refusal.value)


def test_an_appointment_is_loaded_as_it_is_spelled():
    read = schemas.OpenAccount().read(EXAMPLES[schemas.OpenAccount])
    assert read["appointments"] == ("examiner@station-10012003",)


def test_an_appointment_that_is_empty_is_none():
    example = EXAMPLES[schemas.Login]
    assert "appointment" not in schemas.Login().read(example)
    assert schemas.Login().read({**example, "appointment": ""})["appointment"] == ""
