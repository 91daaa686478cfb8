"""Whatever a caller sends to scheduling, he gets a command or is told which field to correct."""

import pytest

from services.scheduling import schemas
from shared.kernel.errors import InvalidInput
from shared.kernel.ids import derived_id
from shared.testing.schemas import ASKED, ID, PAGE, SchemaSuite

EXAMPLES = {
    schemas.ApplyForBatch: {
        **ASKED,
        "batch": ID,
        "station": "10012003",
        "occupation": "6-04-02-05",
        "catalogue": "1999",
        "levels": [5, 4],
        "planned": 60,
        "theory_at": "2026-04-16T09:30:00+08:00",
        "practical_at": "2026-04-16T14:00:00+08:00",
    },
    schemas.IssueTaskNotice: {**ASKED, "batch": ID, "notice": "2026-017"},
    schemas.SealPaperPool: {
        **ASKED,
        "batch": ID,
        "papers": [derived_id("paper", "1"), derived_id("paper", "2")],
    },
    schemas.AssignExaminer: {**ASKED, "batch": ID, "examiner": ID, "part": "theory", "head": False},
    schemas.AllocateSeats: {**ASKED, "batch": ID, "rooms": ["一号考场", "二号考场"]},
    schemas.CheckIn: {
        **ASKED,
        "sitting": ID,
        "ticket": "ABCDEFGH23456789",
        "document_checked": True,
        "photo_matches": False,
    },
    schemas.CloseBatch: {**ASKED, "batch": ID},
    schemas.MarkAbsent: {**ASKED, "sitting": ID},
    schemas.DrawPaper: {**ASKED, "sitting": ID},
    schemas.BatchOf: {"batch": ID},
    schemas.BatchesOf: {**PAGE, "station": "10012003"},
    schemas.SittingsOf: {**PAGE, "batch": ID},
    schemas.SittingOf: {"sitting": ID},
    schemas.Agenda: {**PAGE, "stage": "applied"},
    schemas.LatestBatches: {**PAGE, "station": "10012003"},
    schemas.Stations: {"after": "10012003", "limit": 5},
    schemas.ExamDays: {
        "station": "10012003",
        "since": "2026-04-16T00:00:00.000000Z",
        "until": "2026-04-17T00:00:00.000000Z",
    },
    schemas.PanelOf: {"batch": ID},
    schemas.Assignments: {**PAGE, "examiner": ID},
    schemas.LatestAssignments: {"examiners": [ID]},
}
# what only the service itself may say
GIVEN_BY_SERVICE = {
    schemas.AllocateSeats: {"seed"},
    schemas.CloseBatch: {"ended"},
    schemas.CheckIn: {"blind_code"},
    schemas.DrawPaper: {"lot"},
}


class TestSchemas(SchemaSuite):
    schemas = schemas
    examples = EXAMPLES
    given_by_service = GIVEN_BY_SERVICE
    out_of_range = (
        (schemas.ApplyForBatch, "levels", [6]),
        (schemas.ApplyForBatch, "levels", [4, 4]),
        (schemas.ApplyForBatch, "levels", [True]),
        (schemas.ApplyForBatch, "planned", 0),
        (schemas.ApplyForBatch, "planned", 501),
        (schemas.ApplyForBatch, "theory_at", "2026-04-16T09:30:00"),
        (schemas.SealPaperPool, "papers", [ID, ID]),
        (schemas.SealPaperPool, "papers", [ID.upper()]),
        (schemas.AssignExaminer, "part", "review"),
        (schemas.AssignExaminer, "head", 1),
        (schemas.CheckIn, "document_checked", "true"),
        (schemas.AllocateSeats, "rooms", ["一号考场", "一号考场"]),
    )


@pytest.mark.parametrize(
    ("schema", "name"), [(schema, name) for schema, names in GIVEN_BY_SERVICE.items() for name in names]
)
def test_nobody_chooses_his_own_chance(schema, name):
    with pytest.raises(InvalidInput) as refusal:
        schema().read({**EXAMPLES[schema], name: "5a" * 32})
    assert refusal.value.field == name
