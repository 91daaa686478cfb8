"""`load_decide_append_…`: a stream of some length loaded, decided on and appended to, beside the library.

`known_decide_append_…`: the same without loading, where ours and the library's cache know the stream.
"""

from collections.abc import Callable, Iterator
from itertools import count

from bench import clients
from bench.appending import LIBRARY, TUNED, event_size
from bench.commands import BODY, CATALOGUE, LEVEL, OCCUPATION, STATION
from bench.figures import Figure
from bench.stage import Stage
from bench.turns import in_turns
from shared.contracts.scheduling import BatchApplied, CandidateEnrolled
from shared.kernel.actors import Actor, Role
from shared.kernel.clock import stamp, utc_now
from shared.kernel.ids import new_id
from shared.wire.envelope import Origin, draft

LENGTHS = (1, 10, 100, 1000)
_EVENTS = 50_000  # in all streams of one length: many streams, so that none of them grows by much

_KNOWN = 20  # streams that are gone through again and again


def figures(stage: Stage) -> Iterator[Figure]:
    stage.fresh("scheduling")
    ours = stage.dsn("scheduling")
    theirs = stage.peer("bench_library")
    clients.once("bench.peers.library:preparing", dsn=theirs)
    for length in LENGTHS:
        streams = min(10_000, _EVENTS // length)
        batches = _fill(stage, streams, length)
        clients.once("bench.commands:enrolling", dsn=ours, number=0, batches=batches)
        size = event_size(stage, "scheduling")
        sheets = clients.once(
            "bench.peers.library:filling", dsn=theirs, size=size, streams=streams, length=length
        )["said"]
        for known in (False, True) if length == LENGTHS[-1] else (False,):
            some = _KNOWN if known else streams
            a, b, c = _measured(stage, ours, theirs, size, batches[:some], sheets[:some], known)
            name, how = ("known", "from its cache") if known else ("load", "loaded")
            note = f"编入花名册 by one client, each stream {how}; an event has {size} bytes"
            aim = None if known else 3.0
            yield Figure(f"{name}_decide_append_{length}", "commands/s", a, LIBRARY, b, aim, note=note)
            yield Figure(f"{name}_decide_append_{length}_of_tuned", "commands/s", a, TUNED, c)


def _measured(
    stage: Stage, ours: str, theirs: str, size: int, batches: list[str], sheets: list[str], known: bool
) -> tuple[list[float], list[float], list[float]]:
    """Commands a second: ours, the library's, and the tuned library's."""

    def looking(work: str, name: str, streams: list[str], **arguments: object) -> Callable[[], float]:
        rounds = count()

        def look() -> float:
            first = len(streams) // stage.plan.rounds * next(rounds)  # streams of its own for every round
            some = {name: streams[first:] + streams[:first]}
            return stage.rate(work, 1, **some, known=known, **arguments)

        return look

    noting = {"dsn": theirs, "size": size}
    a, b, c = in_turns(
        stage.plan.rounds,
        looking("bench.commands:enrolling", "batches", batches, dsn=ours),
        looking("bench.peers.library:noting", "ids", sheets, **noting),
        looking("bench.peers.library:noting", "ids", sheets, **noting, tuned=True),
    )
    return a, b, c


def _fill(stage: Stage, streams: int, length: int) -> list[str]:
    """Batches with `length` events each: applied for, and candidates enrolled."""
    batches = [new_id() for _ in range(streams)]
    with (
        stage.admin("scheduling") as connection,
        connection.cursor().copy("COPY events (stream, version, draft) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(["text", "int4", "bytea"])
        for batch in batches:
            for version, event in zip(range(1, length + 1), _history(batch), strict=False):
                stream = f"batch-{batch}"
                copy.write_row((stream, version, draft(event, new_id(), stream, version, _origin())))
    return batches


def _history(batch: str) -> Iterator[BatchApplied | CandidateEnrolled]:
    now = stamp(utc_now())
    yield BatchApplied(
        batch=batch,
        station=STATION,
        occupation=OCCUPATION,
        catalogue=CATALOGUE,
        levels=(LEVEL,),
        planned=100_000,
        theory_at=now,
        practical_at=now,
    )
    for _ in count():
        yield CandidateEnrolled(batch=batch, application=new_id(), candidate=new_id(), level=LEVEL)


def _origin() -> Origin:
    now, command = stamp(utc_now()), new_id()
    director = Actor("0199c0de-0000-7000-8000-00000000d12e", Role.STATION_DIRECTOR, BODY)
    return Origin("/centre/scheduling", director, now, now, command, command, command)
