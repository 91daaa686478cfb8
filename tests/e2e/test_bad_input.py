"""Bad input, over the broker and on the command line: each gets an answer that helps, and leaves nothing."""

import math
import random
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pika
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kombu.pools import reset
from nameko.exceptions import UnknownService
from nameko.standalone.rpc import ClusterRpcProxy

from shared.bus.calls import Refused
from shared.contracts import SERVICES
from shared.kernel.clock import stamp
from shared.kernel.ids import derived_id, new_id
from shared.runtime.demo.people import fictional
from shared.testing.command import CommandLine, Done, InProcess
from shared.testing.postgres import Cluster
from shared.testing.processes import Process, Processes, environment
from shared.testing.rabbitmq import Broker

STATION = "10012003"
CLERK = {"actor": derived_id("clerk"), "role": "exam_affairs", "body": f"station-{STATION}"}
EXAMINER = {"actor": derived_id("examiner"), "role": "examiner", "body": "centre"}
SUBMIT: dict[str, Any] = {
    "application": derived_id("application"),
    "candidate": derived_id("candidate"),
    "batch": derived_id("batch"),
    "station": STATION,
    "occupation": "化工分析工",
    "catalogue": "1999",
    "level": 4,
    "kind": "student",
    "held_level": 0,
    "years_in_trade": 0,
    "education": "vocational_school",
    "evidence": ["0" * 64],
}
SCORE: dict[str, Any] = {"sheet": "B-23456789AB-theory", "score": 80, "sheet_digest": "0" * 64}
(SOMEBODY,) = fictional(1, random.Random(7), new_id)
ENROL: dict[str, Any] = {
    "candidate": derived_id("somebody"),
    **{name: value for name, value in SOMEBODY.enrolment().items() if name != "candidate"},
}
HUGE = "甲" * 3_500_000  # 10 MB


UNPRINTABLE = "a\udc80b"  # what the byte 80 in an argument is to Python
PARKED = "registration/policies/centre/scoring/1"


def numbered(digits: str) -> str:
    """An ID number with the right check character."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return digits + "10X98765432"[sum(w * int(d) for w, d in zip(weights, digits, strict=True)) % 11]


class Desk:
    """Two services over the broker, their caller, and a look at everything that they have written down."""

    def __init__(self, cluster: Cluster, bus: str, services: list[Process]) -> None:
        self.bus = bus
        self.services = services
        self.tried = 0  # refused reads that a test has asked for: each is an event (R163)
        self.jianding = CommandLine(environment(cluster, bus))
        self._cluster = cluster
        self._proxy = ClusterRpcProxy({"AMQP_URI": bus}, timeout=30)
        self._connections = [cluster.connect(service, "admin") for service in ("registration", "scoring")]

    def __enter__(self) -> "Desk":
        self.call = self._proxy.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._proxy.stop()
        reset()  # nameko leaves its publishing connection in kombu's pool
        for connection in self._connections:
            connection.close()

    def ask(self, service: str, method: str, by: Any, /, *positional: Any, **message: Any) -> Any:
        self._proxy._worker_ctx.data = by
        return getattr(self.call[service], method)(*positional, **message)

    def submit(self, caller: Any = CLERK, /, **change: Any) -> Any:
        return self.ask("registration", "submit_application", caller, **_command(SUBMIT, change))

    def enrol(self, **change: Any) -> Any:
        return self.ask("registration", "enrol_person", CLERK, **_command(ENROL, change))

    def score(self, **change: Any) -> Any:
        return self.ask("scoring", "submit_score", EXAMINER, **_command(SCORE, change))

    def written(self) -> dict[str, int]:
        """How many events, attempts among them, commands, claims, duties and people there are."""
        rows = ("events", "events WHERE starts_with(stream, 'attempt-')", "commands", "claims", "duties")
        counted = {each: sum(self._count(at, each) for at in self._connections) for each in rows}
        events, attempts, commands, *others = counted.values()
        # an attempt is an event, remembered as a command of its own
        found = dict(zip(("claims", "duties"), others, strict=True))
        found |= {"events": events - attempts, "attempts": attempts, "commands": commands - attempts}
        return found | {"people": self._count(self._connections[0], "vault")}

    def _count(self, connection: Any, rows: str) -> int:
        row = connection.execute(f"SELECT count(*) FROM {rows}").fetchone()
        return int(row[0])


@pytest.fixture(scope="module")
def desk(cluster: Cluster, broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    cluster.clone(SERVICES)
    bus = broker.virtual_host("bad-input")
    with Processes(tmp_path_factory.mktemp("desk"), environment(cluster, bus)) as processes:
        services = [processes.run("serve", service) for service in ("registration", "scoring")]
        with Desk(cluster, bus, services) as desk:
            yield desk
    broker.drop_virtual_host("bad-input")


@pytest.fixture
def here(desk: Desk) -> InProcess:
    """The desk's command line without a process for each command."""
    return InProcess(desk.jianding.environment)


@pytest.fixture(autouse=True)
def _nothing_is_left_and_everybody_lives(desk: Desk) -> Iterator[None]:
    desk.tried, before = 0, desk.written()
    yield
    assert desk.written() == before | {"attempts": before["attempts"] + desk.tried}
    assert all(service.running for service in desk.services)
    with pytest.raises(Refused, match="SheetUnknown"):
        desk.score()


# -- over the broker: who asks


@pytest.mark.parametrize("field", ["actor", "role", "body"])
@pytest.mark.parametrize("value", ["", 7, ["x"], {"x": 1}, "x y", "\x00", "甲" * 5_000, True, 1.5])
def test_a_call_without_a_proper_caller_is_refused(field: str, value: Any, desk: Desk) -> None:
    problem = _refused(desk.submit, {**CLERK, field: value})
    assert (problem["code"], problem["field"]) == ("InvalidInput", field)


@pytest.mark.parametrize("field", ["actor", "role", "body"])
def test_a_call_that_leaves_out_who_asks_is_refused(field: str, desk: Desk) -> None:
    problem = _refused(desk.submit, {name: value for name, value in CLERK.items() if name != field})
    assert (problem["code"], problem["field"]) == ("InvalidInput", field)


@pytest.mark.parametrize("role", ["service", "director", "EXAMINER", "examiner,candidate"])
def test_a_role_that_nobody_may_claim_is_refused(role: str, desk: Desk) -> None:
    problem = _refused(desk.submit, {**CLERK, "role": role})
    assert (problem["code"], problem["field"]) == ("InvalidInput", "role")
    assert "exam_affairs" in problem["en"]


def test_no_caller_at_all_is_refused(desk: Desk) -> None:
    assert _refused(desk.submit, {})["field"] == "actor"


# -- over the broker: what is asked


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("level", "4"),
        ("level", 4.0),
        ("level", True),
        ("level", math.nan),
        ("level", math.inf),
        ("level", -math.inf),
        ("level", 10**4000),
        ("level", -1),
        ("level", None),
        ("level", [4]),
        ("occupation", 5),
        ("occupation", ""),
        ("occupation", "化工\n分析工"),
        ("occupation", "\ud800"),
        ("occupation", "x' OR '1'='1" * 10),
        ("occupation", HUGE),
        ("application", SUBMIT["application"].upper()),
        ("application", SUBMIT["application"] + "\n"),
        ("application", "../../etc/passwd"),
        ("application", {"$ne": None}),
        ("station", "1001200"),
        ("station", "１００１２００３"),
        ("kind", "teacher"),
        ("evidence", []),
        ("evidence", "0" * 64),
        ("evidence", ["0" * 64, "0" * 64]),
        ("evidence", ["0" * 63 + "G"]),
        ("evidence", [HUGE]),
        ("evidence", ["0" * 64] * 150_000),
        ("evidence", {"0": "0" * 64}),
        ("command_id", "1"),
        ("command_id", None),
        ("occurred_at", "yesterday"),
        ("occurred_at", "2026-04-16T09:30:00"),
        ("occurred_at", "0001-01-01T00:00:00+14:00"),
        ("occurred_at", 1_800_000_000),
        ("occurred_at", "9" * 5000),
        ("is_admin", True),
        ("__class__", "x"),
        ("by", {"id": "x", "role": "service", "body": "centre"}),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(field: str, value: Any, desk: Desk) -> None:
    problem = _refused(desk.submit, **{field: value})
    assert problem["code"] == "InvalidInput"
    assert problem["field"].partition("[")[0] == field


def test_the_place_of_a_wrong_item_is_named(desk: Desk) -> None:
    assert _refused(desk.submit, evidence=["0" * 64, "1" * 64, "no digest"])["field"] == "evidence[2]"


@pytest.mark.parametrize("field", [*SUBMIT, "command_id"])
def test_a_missing_field_is_refused_by_its_name(field: str, desk: Desk) -> None:
    message = {name: value for name, value in _command(SUBMIT, {}).items() if name != field}
    problem = _refused(desk.ask, "registration", "submit_application", CLERK, **message)
    assert (problem["code"], problem["field"]) == ("InvalidInput", field)


@pytest.mark.parametrize("depth", [50, 400])
def test_a_deep_value_is_refused(depth: int, desk: Desk) -> None:
    deep: Any = "x"
    for _ in range(depth):
        deep = [deep]
    assert _refused(desk.submit, evidence=deep)["field"].startswith("evidence")
    assert _refused(desk.submit, kind={"x": deep})["field"] == "kind"


def test_positional_arguments_are_refused(desk: Desk) -> None:
    problem = _refused(desk.ask, "registration", "submit_application", CLERK, "x", **_command(SUBMIT, {}))
    assert problem["field"] == "message"


@pytest.mark.parametrize("method", ["no_such_command", "setup", "people", "execute"])
def test_a_method_that_is_no_command_is_refused(method: str, desk: Desk) -> None:
    problem = _refused(desk.ask, "registration", method, CLERK)
    assert (problem["code"], problem["field"]) == ("UnknownCommand", "command")


def test_a_service_that_does_not_exist_is_unknown(desk: Desk) -> None:
    with pytest.raises(UnknownService):
        desk.ask("enrolment", "submit_application", CLERK)


def test_a_device_whose_clock_is_ahead_is_refused(desk: Desk) -> None:
    tomorrow = stamp(datetime.now(UTC) + timedelta(days=1))
    asked = {"application": new_id(), "reason": "本人放弃", "command_id": new_id(), "occurred_at": tomorrow}
    problem = _refused(desk.ask, "registration", "withdraw_application", CLERK, **asked)
    assert (problem["code"], problem["field"]) == ("ClockIsAhead", "occurred_at")


def test_what_happened_too_long_ago_is_refused_and_what_may_still_be_reported_is_not(desk: Desk) -> None:
    def withdraw(days: float) -> str:
        asked = {"application": new_id(), "reason": "本人放弃", "command_id": new_id()}
        at = stamp(datetime.now(UTC) - timedelta(days=days))
        problem = _refused(desk.ask, "registration", "withdraw_application", CLERK, **asked, occurred_at=at)
        return problem["code"]

    assert withdraw(7.01) == withdraw(800) == "TooLate"
    assert withdraw(6.99) == "NotAwaitingThis"


@pytest.mark.parametrize(
    ("service", "question", "role"),
    [
        ("registration", "roster", "examiner"),
        ("registration", "roster", "candidate"),
        ("scoring", "results", "examiner"),
        ("scoring", "results", "candidate"),
    ],
)
def test_who_may_not_see_who_sits_behind_a_code_is_refused(
    service: str, question: str, role: str, desk: Desk
) -> None:
    problem = _refused(desk.ask, service, question, {**EXAMINER, "role": role}, batch=new_id())
    desk.tried += 1
    assert (problem["code"], problem["field"], problem["rule"]) == ("NotForThisRole", "role", "R070")
    if question == "roster":  # a supervisor's look at scores would leave the event of his reading (R163)
        assert desk.ask(service, question, {**EXAMINER, "role": "supervisor"}, batch=new_id()) == []


def test_an_examiner_sees_no_other_examiners_sheets(desk: Desk) -> None:
    asked = desk.ask, "scoring", "sheets", EXAMINER
    assert _refused(*asked, batch=new_id(), examiner=new_id())["code"] == "NotForThisRole"
    desk.tried += 1
    assert desk.ask("scoring", "sheets", EXAMINER, batch=new_id(), examiner=EXAMINER["actor"]) == []


def test_a_question_is_checked_like_a_command(desk: Desk) -> None:
    asked = desk.ask, "registration", "roster", CLERK
    assert _refused(*asked)["field"] == "batch"
    assert _refused(*asked, batch=new_id(), limit=10**9)["field"] == "limit"
    assert _refused(*asked, batch=new_id(), after="'; DROP TABLE events; --")["field"] == "after"


@pytest.mark.parametrize("number", [numbered("99999919900101001"), "139" + "0" * 8])
@pytest.mark.parametrize("words", ["{}", "号码{}有误", "see ({})", "a {}, b"])
def test_the_number_of_a_person_does_not_get_into_a_reason(words: str, number: str, desk: Desk) -> None:
    asked = {"application": new_id(), "reason": words.format(number), "command_id": new_id()}
    problem = _refused(desk.ask, "registration", "withdraw_application", CLERK, **asked)
    assert (problem["code"], problem["field"]) == ("InvalidInput", "reason")
    assert number not in str(problem)


# -- over the broker: people


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("number", SOMEBODY.number[:17] + ("0" if SOMEBODY.number[17] != "0" else "1"), "IdNumberInvalid"),
        ("number", SOMEBODY.number[:17], "IdNumberInvalid"),
        ("number", "٩" + SOMEBODY.number[1:], "IdNumberInvalid"),
        ("number", " " * 18, "InvalidInput"),
        ("number", numbered("99999919901301001"), "BirthDateImplausible"),
        ("number", numbered("99999917000101001"), "BirthDateImplausible"),
        ("number", 999999199001010019, "InvalidInput"),
        ("name", "", "InvalidInput"),
        ("name", "x" * 61, "InvalidInput"),
        ("name", "虚构\u202e某人", "InvalidInput"),
        ("document", "library_card", "InvalidInput"),
        ("document", "passport", "DocumentKindWrong"),
        ("photo", "not base64!", "InvalidInput"),
        ("photo", "A" * 10_000_000, "InvalidInput"),
        ("photo", "", "InvalidInput"),
        ("photo", None, "InvalidInput"),
    ],
)
def test_a_wrong_identity_is_refused(field: str, value: Any, code: str, desk: Desk) -> None:
    problem = _refused(desk.enrol, **{field: value})
    assert (problem["code"], problem["field"]) == (code, field)


class TestOfSomebodyEnrolled:
    """What needs somebody whom the vault knows already."""

    @pytest.fixture(scope="class", autouse=True)
    @staticmethod
    def enrolled(desk: Desk) -> dict[str, Any]:
        command = _command(ENROL, {})
        desk.ask("registration", "enrol_person", CLERK, **command)
        return command

    def test_the_same_number_under_another_id_is_refused(self, desk: Desk) -> None:
        problem = _refused(desk.enrol, candidate=new_id())
        assert (problem["code"], problem["field"]) == ("IdNumberInUse", "number")

    def test_another_identity_under_the_same_id_is_refused(self, desk: Desk) -> None:
        problem = _refused(desk.enrol, name="虚构他人")
        assert (problem["code"], problem["field"]) == ("PersonExists", "candidate")

    def test_the_same_command_id_for_something_else_is_refused(
        self, enrolled: dict[str, Any], desk: Desk
    ) -> None:
        problem = _refused(desk.submit, command_id=enrolled["command_id"], candidate=ENROL["candidate"])
        assert (problem["code"], problem["field"]) == ("CommandIdReused", "command_id")


# -- over the broker: no message at all


@pytest.mark.parametrize(
    ("body", "content_type", "encoding"),
    [
        (b"\x80\x04\x95garbage", "application/x-python-serialize", "binary"),
        (b"\x93\x01\x02", "application/x-msgpack", "binary"),
        (b"plain", "text/plain", "utf-8"),
        (b"\xff\xfe\x00", "application/octet-stream", "binary"),
        (b"a: !!python/object/apply:os.system ['true']", "application/x-yaml", "utf-8"),
        (b"\xff\xfe\x00", "application/json", "utf-8"),
        (b"{}", "application/json", "no-such-encoding"),
        (b"{}", "application/no-such-type", "utf-8"),
        (b"", "", ""),
        (b'{"args": [], "kwargs": {"level": ' + b"9" * 5000 + b"}}", "application/json", "utf-8"),
        (b"[" * 100_000, "application/json", "utf-8"),
        (
            b'{"args": [], "kwargs": {"level": ' + b"[" * 50_000 + b"]" * 50_000 + b"}}",
            "application/json",
            "utf-8",
        ),
    ],
)
@pytest.mark.parametrize("with_reply", [True, False])
def test_garbage_on_the_queue_ends_nobody(
    body: bytes, content_type: str, encoding: str, with_reply: bool, desk: Desk
) -> None:
    properties = pika.BasicProperties(
        content_type=content_type or None,
        content_encoding=encoding or None,
        reply_to=new_id() if with_reply else None,
        correlation_id=new_id() if with_reply else None,
    )
    with closing(pika.BlockingConnection(pika.URLParameters(desk.bus))) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish(
            "nameko-rpc", "registration.submit_application", body, properties, mandatory=True
        )
    # calls are taken in turn: whoever answers this one has gone through the garbage
    assert _refused(desk.submit, level="x")["field"] == "level"


# -- over the broker: anything

_junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["0" * 64, STATION, SUBMIT["batch"], "student", "2026-04-16T09:30:00+08:00"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
_bounded = settings(
    max_examples=120,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@_bounded
@given(field=st.sampled_from([*SUBMIT, "command_id", "occurred_at"]), value=_junk)
def test_anything_in_a_field_of_an_application_is_refused_by_its_name(
    field: str, value: Any, desk: Desk
) -> None:
    # by somebody who may not, so that what happens to be right is refused too
    nobody = {**CLERK, "role": "candidate"}
    problem = _refused(desk.submit, nobody, **{field: value})
    assert problem["field"].partition("[")[0] in (field, "role", "candidate")
    desk.tried += problem["code"] != "InvalidInput"  # what happened to be right was an attempt


@_bounded
@given(field=st.sampled_from([*SCORE, "command_id", "occurred_at"]), value=_junk)
def test_anything_in_a_field_of_a_score_is_refused_by_its_name(field: str, value: Any, desk: Desk) -> None:
    problem = _refused(desk.score, **{field: value})
    assert problem["field"].partition("[")[0] in (field, "sheet")


@_bounded
@given(message=st.dictionaries(st.text(min_size=1, max_size=10), _junk, max_size=4))
def test_any_message_is_refused(message: dict[str, Any], desk: Desk) -> None:
    message.pop("self", None)
    assert _refused(desk.ask, "scoring", "submit_score", EXAMINER, **message)["code"] == "InvalidInput"


# -- on the command line

_AS_CLERK = ("--actor", CLERK["actor"], "--role", CLERK["role"], "--body", CLERK["body"])
_MEANT = f'"command_id": "{derived_id("meant")}", "application": "{SUBMIT["application"]}"'


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("{", "not JSON"),
        ("", "not JSON"),
        ("[1, 2]", "JSON object"),
        ("null", "JSON object"),
        ('"text"', "JSON object"),
        ('{"level": NaN}', "NaN"),
        ('{"level": -Infinity}', "NaN and Infinity"),
        ("[" * 100_000, "not JSON"),
        ('{"self": 1}', "self"),
        ('{"reason": "' + "x" * 1_000_000 + '"}', "1 MB"),
        ('{"reason": "\udcff\udcfe"}', "command_id"),
        ('{"level": ' + "9" * 5000 + "}", "message"),
    ],
)
def test_what_is_no_message_is_refused_before_anybody_is_asked(message: str, says: str, desk: Desk) -> None:
    done = desk.jianding("send", "registration", "submit_application", "-", *_AS_CLERK, stdin=message)
    assert says in _explained(done)


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ((f'{{{_MEANT}, "reason": 5}}', *_AS_CLERK), "reason"),
        ((f'{{{_MEANT}, "reason": "x", "more": 1}}', *_AS_CLERK), "more"),
        ((f"{{{_MEANT}}}", *_AS_CLERK), "reason"),
        ((f'{{{_MEANT}, "reason": "x"}}',), "actor"),
        ((f'{{{_MEANT}, "reason": "x"}}', *_AS_CLERK[:4]), "body"),
        ((f'{{{_MEANT}, "reason": "x"}}', *_AS_CLERK[:3], "service", *_AS_CLERK[4:]), "role"),
        ((f'{{{_MEANT}, "reason": "x"}}', *_AS_CLERK[:3], "king", *_AS_CLERK[4:]), "role"),
        ((f'{{{_MEANT}, "reason": "x"}}', *_AS_CLERK), "application"),
    ],
)
def test_the_command_line_names_the_field(words: tuple[str, ...], field: str, desk: Desk) -> None:
    done = desk.jianding("send", "registration", "withdraw_application", *words, "--json")
    assert done.code == 1
    problem = done.last["error"]
    assert problem["field"] == field
    _check_words(problem)


def test_the_command_line_says_the_same_to_people(desk: Desk) -> None:
    done = desk.jianding("send", "registration", "withdraw_application", f"{{{_MEANT}}}", *_AS_CLERK)
    assert "[reason]" in _explained(done)


def test_a_command_that_does_not_exist_is_refused(desk: Desk) -> None:
    done = desk.jianding("send", "registration", "no_such_command", "{}", *_AS_CLERK)
    assert "jianding send" in _explained(done)


def test_a_service_that_does_not_run_is_said_not_to(desk: Desk) -> None:
    asked = f'{{"station": "{STATION}"}}'
    done = desk.jianding("send", "scheduling", "batches", asked, *_AS_CLERK, seconds=20)
    assert done.code == 1
    assert "jianding serve scheduling" in done.errors


def test_a_service_that_does_not_exist_is_refused(desk: Desk) -> None:
    done = desk.jianding("send", "enrolment", "submit_application", "{}")
    assert done.code == 2
    assert "registration" in done.errors
    assert "Traceback" not in done.errors


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("{", "not JSON"),
        ("[]", "JSON object"),
        ('{"x": NaN}', "NaN"),
        ('{"x": ' * 100_000, "not JSON"),
        ('{"x": ' * 900 + "1" + "}" * 900, "--data"),
        ('{"x": 1.5}', "whole numbers"),
        ('{"x": ' + "9" * 16 + "}", "2^53"),
        ('{"x": "\\ud800"}', "--data"),
        ("\udc80", "not JSON"),
    ],
)
def test_a_payload_that_no_event_can_carry_is_refused(data: str, says: str, here: InProcess) -> None:
    assert says in _explained(here("parked", "repair", PARKED, "--data", data, "--why", "x"))


@pytest.mark.parametrize("position", ["²", "１", "", "-1", "1.0", "x", "9" * 19, "9" * 5000])
@pytest.mark.parametrize("command", ["show", "skip", "replay"])
def test_a_position_is_written_in_plain_digits(command: str, position: str, here: InProcess) -> None:
    why = ("--why", "x") if command == "skip" else ()
    place = f"registration/policies/centre/scoring/{position}"
    assert "parked list" in _explained(here("parked", command, place, *why))


@pytest.mark.parametrize(
    "words",
    [
        ("trail", "batch", UNPRINTABLE),
        ("trail", "batch", "x", "--actor", UNPRINTABLE),
        ("trail", "batch", "x", "--type", "X", "--type", UNPRINTABLE),
        ("audit", "bundle", "batch", UNPRINTABLE, "-o", "/dev/null"),
        ("parked", "show", f"registration/{UNPRINTABLE}/centre/scoring/1"),
        ("parked", "skip", PARKED, "--why", UNPRINTABLE),
        ("rebuild", f"registration/{UNPRINTABLE}"),
    ],
)
def test_what_cannot_be_printed_is_refused_before_anybody_is_asked(
    words: tuple[str, ...], here: InProcess
) -> None:
    assert "cannot be printed" in _explained(here(*words))


def test_a_byte_that_is_no_character_reaches_the_command_line_as_one_line(desk: Desk) -> None:
    assert "cannot be printed" in _explained(desk.jianding("trail", "batch", UNPRINTABLE))


def test_the_help_of_send_keeps_identity_out_of_arguments(here: InProcess) -> None:
    said = " ".join(here("send", "--help").output.split())
    assert "`-` reads standard input" in said
    assert "`ps`" in said


_typed = st.text(max_size=12) | st.sampled_from(
    [UNPRINTABLE, "", "-", "--help", "²", "\x00", PARKED, f"{PARKED}0" * 30, "registration/", "../register"]
)
_object = st.sampled_from(["{}", '{"x": NaN}', "[" * 5000, '{"x": 1e400}', '{"\\udfff": 1}']) | _typed
_COMMANDS = st.one_of(
    st.tuples(st.just("trail"), st.sampled_from(["batch", "actor"]), _typed),
    st.tuples(st.just("trail"), st.just("ticket"), _typed, st.just("--after"), _typed),
    st.tuples(st.just("trail"), st.just("room"), _typed, st.just("--limit"), _typed),
    st.tuples(
        st.just("trail"), st.just("paper"), _typed, st.just("--actor"), _typed, st.just("--type"), _typed
    ),
    st.tuples(st.just("trail"), st.just("paper"), _typed, st.just("--from"), _typed, st.just("--to"), _typed),
    st.tuples(st.just("parked"), st.sampled_from(["show", "replay"]), _typed),
    st.tuples(st.just("parked"), st.just("skip"), _typed, st.just("--why"), _typed),
    st.tuples(
        st.just("parked"), st.just("repair"), _typed, st.just("--data"), _object, st.just("--why"), _typed
    ),
    st.tuples(st.just("rebuild"), _typed),
)


@_bounded
@given(words=_COMMANDS)
def test_anything_as_an_argument_is_an_answer_and_no_traceback(
    words: tuple[str, ...], here: InProcess
) -> None:
    done = here(*words)
    assert done.code in (0, 1, 2)
    if done.code == 1:
        _explained(done)


# -- what is common to all


def _command(message: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    return {"command_id": new_id(), **message, **change}


def _refused(call: Any, *words: Any, **message: Any) -> dict[str, str]:
    """The problem: in both languages, naming a field, and without what was refused."""
    with pytest.raises(Refused) as refusal:
        call(*words, **message)
    problem = refusal.value.problem
    _check_words(problem)
    assert len(str(problem)) < 2000
    return problem


def _check_words(problem: dict[str, str]) -> None:
    assert set(problem) == {"code", "field", "rule", "zh", "en"}
    assert problem["field"]
    assert re.search(r"[\u4e00-\u9fff]", problem["zh"])
    assert re.search(r"[a-z]{2,}", problem["en"])


def _explained(done: Done) -> str:
    """One line for people, in both languages, and exit code 1."""
    assert done.code == 1, done.errors[-500:]
    assert "Traceback" not in done.errors
    assert len(done.errors) < 2000
    assert re.search(r"[\u4e00-\u9fff]", done.errors)
    assert re.search(r"[a-z]{2,}", done.errors)
    return done.errors
