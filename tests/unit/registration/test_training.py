"""Training before an exam is recorded by the one who held it."""

from dataclasses import replace
from datetime import UTC, datetime

from services.registration.domain.errors import OtherStation
from services.registration.domain.training import RecordTraining, TrainingExists, training
from shared.contracts.registration import TrainingHeld
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id
from shared.testing.scenario import scenario

COURSE = {
    "training": derived_id("training"),
    "batch": derived_id("batch"),
    "station": "10012003",
    "occupation": "6-04-02-05",
    "trainees": (derived_id("candidate", "1"), derived_id("candidate", "2")),
    "hours": 40,
}
TRAINER = Actor(derived_id("trainer"), Role.TRAINER, "station-10012003")
RECORD = RecordTraining(by=TRAINER, at=datetime(2026, 4, 1, tzinfo=UTC), **COURSE)
HELD = TrainingHeld(**COURSE, trainer=TRAINER.id)


def test_trainers_record_training():
    assert training.roles[RecordTraining] == {Role.TRAINER}


def test_who_records_a_training_is_its_trainer():
    scenario(training).when(RECORD).then(HELD)


def test_a_training_is_recorded_once():
    scenario(training).given(HELD).when(RECORD).refused(TrainingExists)


def test_a_trainer_records_for_his_own_station():
    elsewhere = replace(TRAINER, body="station-10012004")
    scenario(training).when(replace(RECORD, by=elsewhere)).refused(OtherStation)
