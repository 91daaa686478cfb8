"""Whose signatures make a checkpoint one that can be trusted (C2SP tlog-policy)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.audit.domain.checkpoints import Checkpoint
from services.audit.domain.notes import LOG, WITNESS, Malformed, Note, NotSigned, Verifier

NONE = "none"
LARGEST = 1_000_000
MOST = 256  # logs, witnesses, groups
_BLANK = re.compile(r"[ \t]+")
_ALLOWED = re.compile(rb"[\x09\x0a\x20-\x7e\x80-\xff]*")
_THRESHOLD = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True)
class Log:
    """A log that is trusted; `url` may be empty."""

    key: Verifier
    url: str = ""


@dataclass(frozen=True)
class Witness:
    """A witness under the name that groups use; without `url` nobody asks it over the network."""

    name: str
    key: Verifier
    url: str = ""


@dataclass(frozen=True)
class Group:
    """Has witnessed what `threshold` of its members have."""

    name: str
    threshold: int
    members: tuple[str, ...]


class QuorumMissing(ValueError):
    """The log has signed, but not enough witnesses have cosigned."""


@dataclass(frozen=True)
class Policy:
    """The logs, the witnesses, and which witnesses together are enough (`quorum`: a name, or `none`)."""

    logs: tuple[Log, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str

    @classmethod
    def parse(cls, text: bytes) -> "Policy":
        """Malformed with the number of the line that cannot be."""
        return _Reading(text).policy()

    @property
    def text(self) -> str:
        """The file, without comments."""
        lines = [f"log {log.key} {log.url}" for log in self.logs]
        lines += [f"witness {each.name} {each.key} {each.url}" for each in self.witnesses]
        lines += [f"group {each.name} {each.threshold} {' '.join(each.members)}" for each in self.groups]
        return "".join(f"{line.rstrip()}\n" for line in [*lines, f"quorum {self.quorum}"])

    def keys(self, origin: str) -> list[Verifier]:
        """Of the log of that name; several while its key is being changed."""
        return [log.key for log in self.logs if log.key.name == origin]

    def enough(self, witnesses: Iterable[str]) -> bool:
        """Whether these, by name, are a quorum."""
        return self.quorum == NONE or self._witnessed({NONE: False, **dict.fromkeys(witnesses, True)})

    def _witnessed(self, said: dict[str, bool]) -> bool:
        for group in self.groups:  # each names only what stands before it
            said[group.name] = sum(said.get(name, False) for name in group.members) >= group.threshold
        return said.get(self.quorum, False)

    def judge(self, note: Note) -> Mapping[str, int]:
        """When each witness has cosigned a checkpoint that this policy accepts.

        NotSigned or QuorumMissing for one that it does not accept, Malformed for no checkpoint.
        """
        origin = Checkpoint.parse(note.text).origin
        if not note.signed_by(self.keys(origin)):
            raise NotSigned(f"no key that the policy has for {origin} has signed")
        times = note.signed_by(witness.key for witness in self.witnesses)
        found = {each.name: times[each.key] for each in self.witnesses if each.key in times}
        if not self.enough(found):
            raise QuorumMissing(f"cosigned by {len(found)} of {len(self.witnesses)} witnesses")
        return found

    @property
    def least(self) -> tuple[int, int]:
        """How many witnesses at least make a quorum, and how many there are that could."""
        sizes = {witness.name: (1, 1) for witness in self.witnesses}
        for group in self.groups:
            members = [sizes[name] for name in group.members]
            fewest = sum(sorted(few for few, _ in members)[: group.threshold])
            sizes[group.name] = fewest, sum(all_ for _, all_ in members)
        return sizes.get(self.quorum, (0, len(self.witnesses)))


def two_thirds(count: int) -> int:
    """1 + ⌊2n/3⌋: two quorums of so many always share more than a third of the witnesses."""
    return 1 + 2 * count // 3


def trusting(logs: Sequence[Log], witnesses: Sequence[Witness]) -> Policy:
    """The policy of these, with a quorum of more than two thirds."""
    names = tuple(witness.name for witness in witnesses)
    groups = (Group("quorum-of-witnesses", two_thirds(len(names)), names),) if names else ()
    return Policy(tuple(logs), tuple(witnesses), groups, groups[0].name if groups else NONE)


class _Reading:
    """One pass over the lines of a policy."""

    def __init__(self, text: bytes) -> None:
        if len(text) > LARGEST or not _ALLOWED.fullmatch(text):
            raise Malformed("a policy is a short text without control characters")
        # octets beyond ASCII mean nothing here; whatever they are, they stay as they are
        self._lines = text.decode(errors="surrogateescape").split("\n")
        self._logs: list[Log] = []
        self._witnesses: list[Witness] = []
        self._groups: list[Group] = []
        self._known: set[str] = set()
        self._members: set[str] = set()
        self._quorum = ""

    def policy(self) -> Policy:
        for place, line in enumerate(self._lines, 1):
            words = _BLANK.split(line.strip(" \t"))
            if words[0] and not words[0].startswith("#"):
                try:
                    self._line(words[0], words[1:])
                except Malformed as error:
                    raise Malformed(f"line {place}: {error}") from None
        if not self._quorum:
            raise Malformed("a policy has a quorum line")
        return Policy(tuple(self._logs), tuple(self._witnesses), tuple(self._groups), self._quorum)

    def _line(self, word: str, rest: list[str]) -> None:
        match word, rest:
            case "log", [vkey, *url] if len(url) < 2:
                self._log(Log(_key(vkey, LOG), *url))
            case "witness", [name, vkey, *url] if len(url) < 2:
                self._witness(Witness(self._new(name), _key(vkey, WITNESS), *url))
            case "group", [name, threshold, member, *members]:
                self._group(name, threshold, (member, *members))
            case "quorum", [name]:
                self._set_quorum(name)
            case _:
                raise Malformed("neither log, witness, group nor quorum with what belongs to it")

    def _log(self, log: Log) -> None:
        if any(log.key.key == other.key.key for other in self._logs) or len(self._logs) == MOST:
            raise Malformed("a key that another log has, or one log too many")
        self._logs.append(log)

    def _witness(self, witness: Witness) -> None:
        if any(witness.key.key == other.key.key for other in self._witnesses) or len(self._witnesses) == MOST:
            raise Malformed("a key that another witness has, or one witness too many")
        self._witnesses.append(witness)

    def _group(self, name: str, threshold: str, members: tuple[str, ...]) -> None:
        for member in members:
            if member not in self._known or member in self._members:
                raise Malformed("a member that is not named before, or is a member already")
            self._members.add(member)
        words = {"any": 1, "all": len(members)}
        count = words.get(threshold) or (int(threshold) if _THRESHOLD.fullmatch(threshold) else 0)
        if not 1 <= count <= len(members) or len(self._groups) == MOST:
            raise Malformed("a threshold that the group cannot have, or one group too many")
        self._groups.append(Group(self._new(name), count, members))

    def _set_quorum(self, name: str) -> None:
        if self._quorum or name not in {NONE, *self._known}:
            raise Malformed("a second quorum, or one that is not named before")
        self._quorum = name

    def _new(self, name: str) -> str:
        if name == NONE or name in self._known:
            raise Malformed("a name that is taken")
        self._known.add(name)
        return name


def _key(vkey: str, type: int) -> Verifier:
    found = Verifier.parse(vkey)
    if found.type != type:
        raise Malformed("a key for another purpose")
    return found
