"""Whose signatures count: a policy file (C2SP tlog-policy) and what it says of a checkpoint."""

import re
from collections.abc import Iterator, Set
from contextlib import suppress
from dataclasses import dataclass, field

from .notes import COSIGNATURE, ED25519, Checkpoint, Key, Note, verifier_key
from .words import Fault

LIMIT = 1024  # lines of each kind; C2SP asks for 32 at least
AHEAD = 300  # seconds that a witness's clock may be before ours
_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_SIZE = re.compile(rb"[1-9][0-9]{0,14}")
_NUMBER = re.compile(rb"[1-9][0-9]{0,5}")
_BLANKS = re.compile(rb"[ \t]+")
_NONE = b"none"


@dataclass(frozen=True, slots=True)
class Group:
    """At least `needed` of the members, which are witnesses or groups."""

    needed: int
    members: tuple[bytes, ...]


@dataclass
class Policy:
    """The logs, the witnesses and groups by name, and which of them is the quorum."""

    logs: list[Key] = field(default_factory=list)
    witnesses: dict[bytes, Key] = field(default_factory=dict)
    groups: dict[bytes, Group] = field(default_factory=dict)
    quorum: bytes = _NONE
    retired: list[tuple[Key, int]] = field(default_factory=list)  # former keys, each with its last size

    @property
    def asks_for_witnesses(self) -> bool:
        return self.quorum != _NONE

    def satisfied(self, signed: Set[bytes]) -> bool:
        """Whether these witnesses, by name, are a quorum."""
        if self.quorum == _NONE:
            return True
        met = set(signed)
        for name, group in self.groups.items():  # each knows only earlier ones
            if sum(member in met for member in group.members) >= group.needed:
                met.add(name)
        return self.quorum in met


@dataclass
class Signers:
    """Who signed a checkpoint. `wrong`: known keys whose signature is not one over the text."""

    logs: list[Key] = field(default_factory=list)
    witnesses: dict[bytes, int] = field(default_factory=dict)  # newest time by witness name
    future: list[tuple[Key, int]] = field(default_factory=list)
    wrong: list[Key] = field(default_factory=list)
    retired: bool = False  # the log signed with nothing but keys that it does not use any more

    def since(self, moment: float) -> set[bytes]:
        """Witnesses that have cosigned since then."""
        return {name for name, time in self.witnesses.items() if time >= moment}


def signers(policy: Policy, checkpoint: Checkpoint, now: float) -> Signers:
    """Verifies every signature of a key of the policy; those of others are ignored."""
    found = Signers()
    for key, good in log_signatures(policy, checkpoint.note, checkpoint.origin, checkpoint.size):
        (found.logs if good else found.wrong).append(key)
    found.retired = bool(found.logs) and not any(key in policy.logs for key in found.logs)
    names = {key: name for name, key in policy.witnesses.items()}
    for key, signature in checkpoint.note.by(policy.witnesses.values()):
        time = int.from_bytes(signature.value[:8], "big")
        message = b"cosignature/v1\ntime %d\n%b" % (time, checkpoint.note.text)
        if len(signature.value) != 72 or time >= 1 << 63 or not key.signed(message, signature.value[8:]):
            found.wrong.append(key)
        elif time > now + AHEAD:
            found.future.append((key, time))
        else:
            found.witnesses[names[key]] = max(time, found.witnesses.get(names[key], 0))
    return found


def log_signatures(policy: Policy, note: Note, origin: bytes, size: int) -> Iterator[tuple[Key, bool]]:
    """Keys of the log of that origin that claim to have signed, and whether they have.

    A former key counts for what is not larger than the last that it has signed.
    """
    former = [key for key, last in policy.retired if size <= last and key not in policy.logs]
    for key, signature in note.by(key for key in (*policy.logs, *former) if key.name == origin):
        yield key, key.signed(note.text, signature.value)


def parse(raw: bytes) -> Policy:
    """A policy; Fault that names the line if it is none."""
    reader = _Reader()
    # one line end at the end of the file is that of its last line
    for number, line in enumerate(raw.removesuffix(b"\n").split(b"\n"), 1):
        try:
            reader.line(line)
        except Fault as why:
            raise Fault("policy_line", line=number, why=why) from None
    if not reader.quorums:
        raise Fault("policy_quorum")
    return reader.policy


class _Reader:
    """One pass over the lines."""

    def __init__(self) -> None:
        self.policy = Policy()
        self.quorums = 0
        self._members: set[bytes] = set()

    def line(self, line: bytes) -> None:
        if _CONTROL.search(line):
            raise Fault("policy_bytes")
        items = _BLANKS.split(line.strip(b" \t"))
        if items == [b""] or items[0].startswith(b"#"):
            self._comment(items)
            return
        match items[0], items[1:]:
            case b"log", [vkey] | [vkey, _]:
                self._log(vkey)
            case b"witness", [name, vkey] | [name, vkey, _]:
                self._witness(name, vkey)
            case b"group", [name, needed, *members] if members:
                self._group(name, needed, members)
            case b"quorum", [name]:
                self._quorum(name)
            case (b"log" | b"witness" | b"group" | b"quorum") as word, _:
                raise Fault("policy_items", word=word)
            case word, _:
                raise Fault("policy_keyword", word=word)

    def _log(self, vkey: bytes) -> None:
        key = _key(vkey, "log", ED25519)
        _within(len(self.policy.logs), "log")
        if any(key.public == other.public for other in self.policy.logs):
            raise Fault("policy_key_twice", key=vkey)
        self.policy.logs.append(key)

    def _comment(self, items: list[bytes]) -> None:
        """`# retired-log VKEY SIZE …`: to others a comment, and to us too where something in it is amiss."""
        if items[:2] != [b"#", b"retired-log"] or len(items) < 4 or not _SIZE.fullmatch(items[3]):
            return
        with suppress(Fault):
            _within(len(self.policy.retired), "retired-log")
            self.policy.retired.append((_key(items[2], "log", ED25519), int(items[3])))

    def _witness(self, name: bytes, vkey: bytes) -> None:
        key = _key(vkey, "witness", COSIGNATURE)
        _within(len(self.policy.witnesses), "witness")
        self._free(name)
        if any(key.public == other.public for other in self.policy.witnesses.values()):
            raise Fault("policy_key_twice", key=vkey)
        self.policy.witnesses[name] = key

    def _group(self, name: bytes, needed: bytes, members: list[bytes]) -> None:
        _within(len(self.policy.groups), "group")
        self._free(name)
        for member in members:
            self._defined(member)
            if member in self._members:
                raise Fault("policy_member_twice", name=member)
            self._members.add(member)
        self.policy.groups[name] = Group(_threshold(needed, len(members)), tuple(members))

    def _quorum(self, name: bytes) -> None:
        self.quorums += 1
        if self.quorums > 1:
            raise Fault("policy_quorum")
        if name != _NONE:
            self._defined(name)
        self.policy.quorum = name

    def _free(self, name: bytes) -> None:
        if name == _NONE or name in self.policy.witnesses or name in self.policy.groups:
            raise Fault("policy_name_taken", name=name)

    def _defined(self, name: bytes) -> None:
        if name not in self.policy.witnesses and name not in self.policy.groups:
            raise Fault("policy_name_unknown", name=name)


def _key(vkey: bytes, role: str, kind: int) -> Key:
    key = verifier_key(vkey)
    if key.kind != kind:
        raise Fault("vkey_kind", role=role, wanted=f"0x{kind:02x}", key=vkey)
    return key


def _within(count: int, word: str) -> None:
    if count >= LIMIT:
        raise Fault("policy_many", limit=LIMIT, word=word)


def _threshold(needed: bytes, members: int) -> int:
    if needed == b"any":
        return 1
    if needed == b"all":
        return members
    if not _NUMBER.fullmatch(needed) or int(needed) > members:
        raise Fault("policy_threshold", members=members)
    return int(needed)
