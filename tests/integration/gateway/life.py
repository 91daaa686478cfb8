"""A small batch, played through the door from its application to its certificates, and what is there then."""

import base64
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.bus.calls import Refused
from shared.kernel.actors import Actor, Role
from shared.kernel.ids import derived_id, new_id
from shared.runtime.demo import logins
from shared.runtime.demo.people import Person, fictional
from shared.runtime.demo.play import Play
from shared.runtime.demo.term import SITTING, STATION, Plan
from shared.testing.rabbitmq.node import wait_until

Ask = Callable[..., Any]
"""`ask(operation, actor, fields, key)` -> what the door answers; Refused for a problem."""

_PLAN = Plan(logins.KEY, "4月16日", SITTING, 1, {3: 1, 4: 2}, {3: 1, 4: 1}, date(2026, 4, 16), 1, 0, 1)
# what is only there until somebody does this
_BEFORE: dict[str, tuple[str, dict[str, Any]]] = {
    "scoring.approve_correction": ("scoring.proposals", {}),
    "certification.approve_certificate": ("certification.waiting", {}),
    "scoring.publish_result": ("scoring.results_in", {"status": "reviewed"}),
}
_ADMINISTRATOR = Actor(derived_id("life", "administrator"), Role.ADMINISTRATOR, "centre")
_OFFICER = Actor(derived_id("life", "officer"), Role.CENTRE_OFFICER, "centre")
_SUPERVISOR = Actor(derived_id("life", "supervisor"), Role.SUPERVISOR, "centre")


class Life:
    """Who and what there is: `fields` are the values with which anything may be asked about it."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        people = fictional(_PLAN.applying, random.Random(11), new_id, first=900)
        play = Play(self._call, _PLAN, people, 1, lambda *_: None)
        play.run()
        play.close()
        self._accounts()
        self._others()
        self.fields = self._found({person.id: person for person in people})

    def _call(self, service: str, method: str, context: dict[str, Any], **fields: Any) -> Any:
        actor = Actor(context["actor"], Role(context["role"]), context["body"])
        key, name = fields.pop("command_id", ""), f"{service}.{method}"
        if name in _BEFORE:
            question, asked = _BEFORE[name]
            self._look(question, **asked)
        try:
            return self._ask(name, actor, fields, key)
        except Refused as refused:
            if refused.problem["code"] != "NotThere":
                raise
            return None  # as the service itself answers; what follows an event is there a moment later

    def _do(self, operation: str, actor: Actor, **fields: Any) -> Any:
        return self._ask(operation, actor, fields, new_id())

    def _accounts(self) -> None:
        """One that is opened, appointed, used, and closed; and one that stays."""
        do, account, name, password = self._do, new_id(), f"life-{new_id()}", f"no secret {new_id()}"
        held = {"role": "examiner", "body": "centre"}
        do("registration.open_account", _ADMINISTRATOR, account=account, name=name, password=password)
        do("registration.appoint", _ADMINISTRATOR, account=account, **held)
        do("registration.change_password", _ADMINISTRATOR, account=account, password=f"{password}!")
        do(
            "registration.link_login",
            _ADMINISTRATOR,
            account=account,
            issuer="https://id.example",
            subject=name,
        )
        nobody = Actor("", Role.EXAMINER, "")
        said = self._ask("registration.login", nobody, {"name": name, "password": f"{password}!"}, "")
        said = self._ask("registration.refresh", nobody, {"refresh": said["refresh"]}, "")
        self._ask("registration.logout", nobody, {"refresh": said["refresh"]}, "")
        do("registration.end_appointment", _ADMINISTRATOR, account=account, **held)
        do("registration.close_account", _ADMINISTRATOR, account=account)
        stays: dict[str, Any] = {"account": new_id(), "name": f"{name}-stays", "appointments": [held]}
        do("registration.open_account", _ADMINISTRATOR, **stays)

    def _others(self) -> None:
        """What does not come to a certificate: rejected by the centre, withdrawn, corrected, erased."""
        clerk = Actor(derived_id("life", "clerk"), Role.EXAM_AFFAIRS, f"station-{STATION}")
        officer = Actor(derived_id("life", "reviewer"), Role.CENTRE_REVIEWER, "centre")
        reviewer = replace(officer, role=Role.STATION_REVIEWER, body=f"station-{STATION}", id=new_id())
        examiner = Actor(derived_id("life", "examiner"), Role.EXAMINER, "centre")
        first, second = fictional(2, random.Random(12), new_id, first=950)
        for person in (first, second):
            self._do("registration.enrol_person", clerk, **person.enrolment())
        rejected, withdrawn = (self._apply(clerk, person.id) for person in (first, second))
        self._do("registration.pass_station_review", reviewer, application=rejected)
        self._do("registration.reject_at_centre", officer, application=rejected, reason="工龄不足")
        self._do("registration.withdraw_application", clerk, application=withdrawn, reason="本人放弃")
        self._do("registration.erase_person", _OFFICER, candidate=second.id, ground="consent_withdrawn")
        self._do("scoring.register_signing_key", examiner, signer=examiner.id, public_key=_public_key())
        self.examiner_with_key = examiner.id

    def _apply(self, clerk: Actor, candidate: str) -> str:
        application = new_id()
        self._do(
            "registration.submit_application",
            clerk,
            application=application,
            candidate=candidate,
            batch=new_id(),
            station=STATION,
            occupation=SITTING,
            catalogue="1999",
            level=4,
            kind="student",
            held_level=0,
            years_in_trade=0,
            education="vocational_school",
            evidence=["e" * 64],
        )
        return application

    def _found(self, people: dict[str, Person]) -> dict[str, Any]:
        ask = self._look
        batch = ask("scheduling.latest_batches", station=STATION)[0]["batch"]
        certificate = ask("certification.certificates", batch=batch)[0]
        examiner = ask("scheduling.panel", batch=batch)[-1]["examiner"]  # the theory's
        event = ask("audit.trail", kind="batch", id=batch)[0]
        holder = people[certificate["candidate"]]
        self.document = {"document": "resident_id", "number": holder.number, "name": holder.name}
        return {
            "batch": batch,
            "batches": [batch],
            "station": STATION,
            "application": certificate["application"],
            "sitting": certificate["application"],
            "candidate": certificate["candidate"],
            "number": certificate["number"],
            "name": holder.name,
            "examiner": examiner,
            "examiners": [examiner],
            "actor": _SUPERVISOR.id,
            "sheet": ask("scoring.sheets", batch=batch, examiner=examiner)[0]["sheet"],
            "since": "2026-04-16T00:00:00+08:00",
            "until": "2026-04-17T00:00:00+08:00",
            "position": 0,
            "kind": "batch",
            "id": batch,
            "event": event["id"],
            "at": event["index"],
        }

    def _look(self, operation: str, **fields: Any) -> Any:
        found: list[Any] = []

        def there() -> bool:
            found[:] = self._ask(operation, _SUPERVISOR, fields, "")
            return bool(found)

        assert wait_until(there, 20), operation
        return found


def _public_key() -> str:
    raw = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
