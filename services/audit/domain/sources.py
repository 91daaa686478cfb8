"""Whether a source is honest about its log: what it states, against what audit has of it.

Every source states its head every few seconds, signed with the time. From one look to the next, audit
remembers a `Record`; `judge` says what follows from one `Look`; each trouble is told once, when it begins.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.audit.domain.following import CLOCKS
from shared.kernel.clock import stamp

SKEW = timedelta(seconds=5)  # of two machines' clocks, where an order is concluded from them
AHEAD = timedelta(minutes=5)  # by which a source's clock may be ahead; as with devices
_UNPROVEN = 50  # heads that wait for their events

Detail = dict[str, str | int]


@dataclass(frozen=True)
class Statement:
    """`source` said at `time`: my log has `position` events, the last with `hash` (hex)."""

    position: int
    hash: str
    time: datetime
    signature: str = ""


@dataclass(frozen=True)
class Gap:
    """Positions that were stated and have not come."""

    first: int
    last: int


@dataclass(frozen=True)
class Waiting:
    """The first position that is missing, and since when it is."""

    first: int
    since: datetime


@dataclass(frozen=True)
class Record:
    """What audit remembers of a source. `head` is the furthest that it stated, and never goes back."""

    head: Statement | None = None
    last: Statement | None = None  # the newest that was signed, whatever it said
    unproven: tuple[Statement, ...] = ()  # not yet compared with the entries at their positions
    waiting: Waiting | None = None
    gap: Gap | None = None  # told, and not filled
    silent: datetime | None = None  # since when, once it was told
    forked: int = 0  # the position, until something beyond it is proven
    taken_back: bool = False
    unsigned: bool = False
    hasty: bool = False


@dataclass(frozen=True)
class Look:
    """One look at a source.

    `said` is what its feed hands out as its newest statement, None if there is no answer; `hashes` are those
    of audit's entries at the positions `asked`; `denied` is when audit received the entry behind that head.
    """

    now: datetime
    began: datetime  # when audit began to look: before that, silence was its own
    received: int
    said: Statement | None = None
    signed: bool = False
    hashes: Mapping[int, str] = field(default_factory=dict)
    denied: datetime | None = None


@dataclass(frozen=True)
class Limits:
    """What is still in order."""

    silence: timedelta
    missing: timedelta
    transit: timedelta


@dataclass(frozen=True)
class Found:
    """A finding about positions `first` to `last` of a source's log; `evidence` is what shows it.

    `indexes` are those of audit's first and last entry concerned, where it is about entries.
    """

    kind: str
    first: int | None
    last: int | None
    detail: Detail
    evidence: Statement | None = None
    indexes: tuple[int | None, int | None] = (None, None)
    batch: str = ""


Judged = tuple[Record, list[Found]]
_Part = Callable[[Record, Look, Limits], Judged]


def asked(record: Record, said: Statement | None) -> set[int]:
    """The positions whose entries' hashes a look has to bring."""
    statements = (*record.unproven, *((said,) if said else ()))
    return {each.position for each in statements if each.position}


def judge(record: Record, look: Look, limits: Limits) -> Judged:
    """What audit remembers after a look, and what somebody has to be told."""
    found: list[Found] = []
    for part in _PARTS:
        record, more = part(record, look, limits)
        found += more
    return record, found


def _hear(record: Record, look: Look, _limits: Limits) -> Judged:
    """A statement counts if it is signed, of this time, and newer than the one before."""
    said = look.said
    if said is None:
        return record, []
    if not look.signed:
        found = [] if record.unsigned else [_about(said, "bad-signature", look.now)]
        return replace(record, unsigned=True), found
    if said.time > look.now + AHEAD:  # believed, it would make every true statement after it an old one
        found = [] if record.hasty else [_about(said, "clock-ahead", look.now)]
        return replace(record, unsigned=False, hasty=True), found
    record = replace(record, unsigned=False, hasty=False)
    if record.last and said.time <= record.last.time:
        two = said.time == record.last.time and said != record.last
        return record, [_about(said, "fork", said.time)] if two else []
    return _believe(replace(record, last=said), said, look)


def _believe(record: Record, said: Statement, look: Look) -> Judged:
    if said.position:
        unproven = (*record.unproven[: _UNPROVEN - 1], said)
        record = replace(record, unproven=unproven)
    stated = record.head.position if record.head else 0
    denied = look.denied is not None and said.time > look.denied + SKEW
    if said.position < stated or denied:
        found = [] if record.taken_back else [_taken_back(said, max(stated, look.received))]
        return replace(record, taken_back=True), found
    found = []
    if record.head and said.position == stated and said.hash != record.head.hash:
        found, said = [_about(said, "fork", said.time)], record.head
    return replace(record, head=said, taken_back=False), found


def _prove(record: Record, look: Look, _limits: Limits) -> Judged:
    """The head that a source states has to be the hash of audit's entry at its position."""
    found, forked = list[Found](), record.forked
    for each in record.unproven:
        theirs = look.hashes.get(each.position)
        if each.position > look.received or theirs is None:
            continue
        if theirs == each.hash:
            forked = 0 if each.position >= forked else forked
        elif not forked:
            forked = each.position
            found.append(Found("fork", forked, forked, {"stated": each.hash, "entry": theirs}, each))
    left = tuple(each for each in record.unproven if each.position > look.received)
    return replace(record, unproven=left, forked=forked), found


def _listen(record: Record, look: Look, limits: Limits) -> Judged:
    """Silence, from the last statement on; but while nobody looked, nobody could have heard one."""
    heard = record.last.time if record.last else None
    if record.silent is not None:
        if heard is None or heard <= record.silent or look.now - heard > limits.silence:
            return record, []
        detail: Detail = {"since": stamp(record.silent), "until": stamp(heard)}
        return replace(record, silent=None), [Found("source-returned", _position(record), None, detail)]
    since = heard or look.began
    if look.now - max(since, look.began) <= limits.silence:
        return record, []
    found = Found("source-silent", _position(record), None, {"since": stamp(since)})
    return replace(record, silent=since), [found]


def _complete(record: Record, look: Look, limits: Limits) -> Judged:
    """Everything that was stated has to come; as long as something comes, the rest may be on its way."""
    record, found = _filled(record, look)
    stated, first = _position(record), look.received + 1
    if stated < first:
        return replace(record, waiting=None), found
    if record.waiting is None or record.waiting.first != first:
        return replace(record, waiting=Waiting(first, look.now)), found
    if look.now - record.waiting.since <= limits.missing or _is_told(record.gap, stated):
        return record, found
    detail: Detail = {"since": stamp(record.waiting.since)}
    found.append(Found("missing-events", first, stated, detail, record.head))
    begins = record.gap.first if record.gap else first
    return replace(record, gap=Gap(begins, stated)), found


def _filled(record: Record, look: Look) -> Judged:
    gap = record.gap
    if gap is None or look.received < gap.last:
        return record, []
    found = Found("gap-filled", gap.first, gap.last, {"until": stamp(look.now)})
    return replace(record, gap=None), [found]


def _is_told(gap: Gap | None, stated: int) -> bool:
    """A gap that grows is told anew each time it has become twice as long."""
    return gap is not None and stated - gap.last <= gap.last - gap.first


_PARTS: tuple[_Part, ...] = (_hear, _prove, _listen, _complete)


@dataclass(frozen=True)
class Arrival:
    """An entry of a source: when it was recorded there, and when audit received it."""

    position: int
    recorded: datetime
    received: datetime


def late(arrivals: Iterable[Arrival], transit: timedelta) -> list[Found]:
    """The ranges of a source's log that were on their way for longer than `transit`; arrivals ascend."""
    delays = [(each.position, each.received - each.recorded) for each in arrivals]
    return [
        Found("late-events", first, last, {"seconds": int(longest.total_seconds())})
        for first, last, longest in _ranges(delays, transit)
    ]


def early(arrivals: Iterable[Arrival]) -> list[Found]:
    """The ranges that were recorded after audit had received them, by more than clocks differ."""
    ahead = [(each.position, each.recorded - each.received) for each in arrivals]
    return [
        Found("recorded-ahead", first, last, {"seconds": int(longest.total_seconds())})
        for first, last, longest in _ranges(ahead, CLOCKS)
    ]


def _ranges(found: Iterable[tuple[int, timedelta]], limit: timedelta) -> list[tuple[int, int, timedelta]]:
    """(first, last, longest) of what is beyond the limit and without a gap."""
    ranges: list[tuple[int, int, timedelta]] = []
    for position, delay in found:
        if delay <= limit:
            continue
        if ranges and ranges[-1][1] == position - 1:
            first, _, longest = ranges.pop()
            ranges.append((first, position, max(longest, delay)))
        else:
            ranges.append((position, position, delay))
    return ranges


def _about(said: Statement, kind: str, since: datetime) -> Found:
    return Found(kind, said.position, said.position, {"since": stamp(since)}, said)


def _taken_back(said: Statement, had: int) -> Found:
    detail: Detail = {"since": stamp(said.time), "stated": said.position}
    return Found("rolled-back", said.position + 1, had, detail, said)


def _position(record: Record) -> int:
    return record.head.position if record.head else 0
