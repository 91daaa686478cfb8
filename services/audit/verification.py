"""Verifying the audit log: against its own tree, against itself, and against what the sources signed.

1. every entry is at its index and is the canonical bytes of an event and audit's note; its columns, and the
   rows of its subjects, say what its bytes say;
2. the links of each subject count its entries, and each names the one before;
3. each source's positions have no gap, and each event contains the hash of the one before;
4. the tree recomputed from the bytes has the root and the peaks of every tree head, and the hashes of every
   full tile; one head covers all of it;
5. each source's signed head is properly signed, agrees with the entry at its position, and is not behind
   what the source has sent before it was asked;
6. of each closed batch, each source's entries are those that the source stated, and none came behind them;
   no source has said nothing of it for longer than it may take;
7. each finding of which the log tells is among the findings.

A log is read in one snapshot, in sections: one for a service, several at the same time for `jianding verify`.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import psycopg
from psycopg import Connection

from services.audit.closed import contradicted, unsealed
from services.audit.domain.tree import WIDTH, widths
from services.audit.found import Problem, Reached, Section, Span, Torn, finding, follows
from services.audit.readers import SNAPSHOT, gathered, working
from services.audit.sections import UNLED, check
from shared.security.heads import Head

_ON_ITS_WAY = "has not reached the log"
_OF_A_KIND = 10  # problems that are told; of the others, how many they are
_WORTHWHILE = 50_000  # entries from which on another process is worth its start
_SIZE = "SELECT coalesce(max(index), -1) + 1 FROM entries"
_HEAD_NEAR = "SELECT coalesce(max(size), 0) FROM tree_heads WHERE size <= %s"
# in the order of the primary key, so that nothing has to be sorted
_LINKS = """
SELECT index FROM (
    SELECT index, number, previous,
           lag(number, 1, 0::bigint) OVER entries AS count, lag(index, 1, -1::bigint) OVER entries AS before
      FROM subjects WINDOW entries AS (PARTITION BY kind, ref ORDER BY index)
) AS links WHERE number <> count + 1 OR previous <> before ORDER BY index
"""
# a look into the index for each source, instead of one at each entry
_REACHED = """
WITH RECURSIVE found AS (
    SELECT min(source) AS source FROM entries
     UNION ALL
    SELECT (SELECT min(source) FROM entries WHERE source > found.source) FROM found WHERE source IS NOT NULL
)
SELECT source, (SELECT max(position) FROM entries e WHERE e.source = found.source)
  FROM found WHERE source IS NOT NULL
"""
_DENIED = "SELECT min(index) FROM entries WHERE source = %s AND position > %s"
_NEWEST = "SELECT received_at FROM entries ORDER BY index DESC LIMIT 1"
_OLD = f"""
SELECT index FROM entries
 WHERE index = ANY (%s) AND received_at + make_interval(secs => %s) < ({_NEWEST})
"""  # noqa: S608
_FINDINGS = """
SELECT kind, source, first_position, last_position, first_index, last_index, count(*)
  FROM findings GROUP BY 1, 2, 3, 4, 5, 6
"""
GRACE = 60.0  # seconds that a source may take to state what it has of a closed batch
_TOO_MANY_TILES = "SELECT level, index FROM tiles WHERE level = %s AND index >= %s ORDER BY index"


@dataclass
class Verdict:
    """`problems` are (index, or None for what no entry shows, what is wrong); verified when there is none.

    `behind` names the sources whose head the log has not reached: lost, or still on its way. `contradicted`
    is what a source stated otherwise: entries before it are missing or others, and nothing says which.
    `lacking`: what the published checkpoint does not have of the quorum that the policy asks for now.
    """

    size: int = 0
    root: str = ""
    sources: dict[str, int] = field(default_factory=dict)
    behind: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    contradicted: list[Problem] = field(default_factory=list)
    lacking: str = ""

    @property
    def verified(self) -> bool:
        return not self.problems and not self.contradicted and not self.lacking

    @property
    def torn(self) -> int | None:
        """The first index at which the log is not whole in itself."""
        return _first(self.problems)

    @property
    def first(self) -> int | None:
        """The first index with a problem, if an entry shows one."""
        torn = self.torn
        return _first(self.contradicted) if torn is None else torn

    @property
    def word(self) -> str:
        """`verified`, `altered`, or one that says that nothing is wrong yet.

        `behind`: events have not arrived; `unwitnessed`: a quorum is missing.
        """
        if self.verified:
            return "verified"
        if not all(problem.endswith(_ON_ITS_WAY) for _, problem in (*self.problems, *self.contradicted)):
            return "altered"
        return "unwitnessed" if self.lacking else "behind"

    def as_data(self) -> dict[str, Any]:
        """{verdict, verified, size, root, sources, behind, lacking, first, problems, more}.

        `first` is the first bad index, `problems` are [{index, problem}], `more` is [{problem, count}]: ten
        problems of a kind are told, which is their text without its numbers, and of the others how many.
        """
        kinds: Counter[str] = Counter()
        told = []
        for index, problem in (*self.problems, *self.contradicted):
            kinds[kind := re.sub(r"[0-9]+", "…", problem)] += 1
            if kinds[kind] <= _OF_A_KIND:
                told.append({"index": index, "problem": problem})
        more = {kind: count - _OF_A_KIND for kind, count in kinds.items() if count > _OF_A_KIND}
        return {
            "verdict": self.word,
            "verified": self.verified,
            "size": self.size,
            "root": self.root,
            "sources": self.sources,
            "behind": self.behind,
            "lacking": self.lacking,
            "first": self.first,
            "problems": told,
            "more": [{"problem": kind, "count": count} for kind, count in more.items()],
        }


def _first(problems: Sequence[Problem]) -> int | None:
    return min((index for index, _ in problems if index is not None), default=None)


def reached(connection: Connection[Any]) -> dict[str, int]:
    """How far each source has come in the log; asked before the heads are, no honest head is behind it."""
    return dict(connection.execute(_REACHED).fetchall())


def verify(
    connection: Connection[Any],
    heads: Sequence[Head],
    progress: Callable[[int], None] = lambda _: None,
    before: Mapping[str, int] | None = None,
) -> Verdict:
    """Reads the whole log in one snapshot. `before`: what `reached` said before the heads were asked for."""
    with connection.transaction():
        connection.execute(SNAPSHOT)
        section = check(connection, Span(0, _number(connection, _SIZE)), _claims(heads), progress)
        return _joined(connection, [section], _links(connection), heads, before or {})


def verify_at_once(
    dsn: str,
    heads: Sequence[Head],
    progress: Callable[[int], None] = lambda _: None,
    before: Mapping[str, int] | None = None,
    processes: int = 2,
) -> Verdict:
    """The same by several processes, each with a section of its own; a short log is read by the caller's.

    ReaderDied if one of them ends before its section does. None of them outlives the call.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        if _number(connection, _SIZE) < _WORTHWHILE:
            return verify(connection, heads, progress, before)
        with connection.transaction():
            connection.execute(SNAPSHOT)
            (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
            reading = [partial(_section, span, _claims(heads)) for span in _spans(connection, processes)]
            with working(dsn, snapshot, [*reading, _counting]) as pipes:
                *sections, links = gathered(pipes, progress)
            return _joined(connection, sections, links, heads, before or {})


def _number(connection: Connection[Any], query: Any, *arguments: Any) -> int:
    row = connection.execute(query, arguments).fetchone()
    assert row is not None
    return int(row[0])


def _claims(heads: Sequence[Head]) -> dict[tuple[str, int], bytes]:
    return {(head.source, head.position): head.hash for head in heads}


# -- several processes


def _spans(connection: Connection[Any], count: int) -> list[Span]:
    """Spans of about the same length, which begin behind tree heads."""
    size = _number(connection, _SIZE)
    cuts = {_number(connection, _HEAD_NEAR, size * place // count) for place in range(1, count)}
    edges = sorted({0, size, *(cut for cut in cuts if cut < size)})
    return [Span(start, stop, last=stop == size) for start, stop in pairwise(edges)]


def _section(
    span: Span,
    claimed: Mapping[tuple[str, int], bytes],
    connection: Connection[Any],
    progress: Callable[[int], None],
) -> Section:
    return check(connection, span, claimed, progress)


def _counting(connection: Connection[Any], _progress: Callable[[int], None]) -> list[Problem]:
    return _links(connection)


# -- the whole


def _joined(
    connection: Connection[Any],
    sections: Sequence[Section],
    links: Sequence[Problem],
    heads: Sequence[Head],
    before: Mapping[str, int],
) -> Verdict:
    tree, ends = sections[-1].tree, dict[str, Reached]()
    for section in sections:
        for source, first in section.begins.items():
            follows(section, source, ends.get(source, Reached()), first)
        ends |= section.ends
    problems = [problem for section in sections for problem in section.problems]
    problems += _changed([torn for section in sections for torn in section.torn], problems)
    problems += [*_tiles(connection, tree.size), *links, *_deleted(connection, sections)]
    problems.sort(key=_by_index)
    told, behind = _heads(connection, heads, before, {place for each in sections for place in each.met})
    return Verdict(
        size=tree.size,
        root=tree.root.hex() if tree.size else "",
        sources={source: end.position for source, end in sorted(ends.items())},
        behind=behind,
        problems=problems + told,
        contradicted=_of_batches(connection, sections),
    )


def _changed(torn: Sequence[Torn], problems: Sequence[Problem]) -> list[Problem]:
    """A later event says what the earlier one was, so that one was changed: unless it is the later one itself
    of which something else says so, or the event behind it."""
    bad = {index for index, what in problems if what != UNLED} | {each.earlier for each in torn}
    return [
        (each.later if each.later in bad or each.earlier < 0 else each.earlier, each.what) for each in torn
    ]


def _of_batches(connection: Connection[Any], sections: Sequence[Section]) -> list[Problem]:
    """A source's time to state what it has is up when the log has grown for so long since: clocks stand
    still where a node does, and what stood still has kept nothing back."""
    batches = [section.batches for section in sections]
    closed = sorted({index for each in batches for _, index in each.closed.values()})
    old = {index for (index,) in connection.execute(_OLD, (closed, GRACE)).fetchall()}
    return sorted([*contradicted(batches), *(each for each in unsealed(batches) if each[0] in old)])


def _deleted(connection: Connection[Any], sections: Sequence[Section]) -> list[Problem]:
    """Findings are raised with their event, in one transaction: none of those in the log can be missing."""
    raised = [each for section in sections for each in section.raised]
    if not raised:
        return []
    left = Counter({finding(said): count for *said, count in connection.execute(_FINDINGS).fetchall()})
    problems: list[Problem] = []
    for index, said in raised:
        left[said] -= 1
        if left[said] < 0:
            problems.append((index, f"the finding that it tells of ({said[0]}) is not among the findings"))
    return problems


def _by_index(problem: Problem) -> int:
    return -1 if problem[0] is None else problem[0]


def _links(connection: Connection[Any]) -> list[Problem]:
    """The rows of subjects are those that leaves say: so what is wrong with a row is wrong with its leaf."""
    what = "its links do not count on from the entries before"
    return [(index, what) for (index,) in connection.execute(_LINKS).fetchall()]


def _tiles(connection: Connection[Any], size: int) -> list[Problem]:
    """Tiles that nothing could have filled yet; those that are wrong or missing were seen on the way."""
    full = [count // WIDTH for count in widths(size)]
    full += [0] * (8 - len(full))
    return [
        (at * WIDTH ** (level + 1), f"tile {level}/{at} is that of a longer log")
        for level, count in enumerate(full)
        for _, at in connection.execute(_TOO_MANY_TILES, (level, count)).fetchall()
    ]


def _heads(
    connection: Connection[Any],
    heads: Sequence[Head],
    before: Mapping[str, int],
    met: set[tuple[str, int]],
) -> tuple[list[Problem], list[str]]:
    """What is wrong with the heads of the sources, and the sources that are behind theirs."""
    problems: list[Problem] = []
    for head in heads:
        if not head.signed:
            problems.append((None, f"{head.source}: its head is not signed by its key"))
        if head.position < (known := before.get(head.source, 0)):
            denied = connection.execute(_DENIED, (head.source, head.position)).fetchone() or (None,)
            problems.append(
                (denied[0], f"{head.source}: its head {head.position} is behind the {known} it had sent")
            )
    behind = [head for head in heads if head.position and (head.source, head.position) not in met]
    problems += [(None, f"{head.source}: its head {head.position} {_ON_ITS_WAY}") for head in behind]
    return problems, [head.source for head in behind]
