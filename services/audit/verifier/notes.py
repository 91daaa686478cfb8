"""Signed notes (C2SP signed-note) with Ed25519, and what stands in ours: checkpoints and subject heads."""

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .words import Fault, shown

ED25519 = 0x01
COSIGNATURE = 0x04
SIGNATURES = 100  # of a note; C2SP asks for 16 at least
_DASH = "— ".encode()
_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")
_DECIMAL = re.compile(rb"0|[1-9][0-9]{0,18}")
_INDEX = re.compile(rb"-1|0|[1-9][0-9]{0,18}")
_HEX = re.compile(rb"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Key:
    """A verifier key: `name+id+base64(type ‖ key)`."""

    name: bytes
    id: bytes
    kind: int
    public: bytes

    @property
    def label(self) -> str:
        """`name+id`, which identifies it."""
        return f"{shown(self.name)}+{self.id.hex()}"

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether this is its Ed25519 signature over the message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line."""

    name: bytes
    id: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """The text with its last newline, and who says they signed it."""

    text: bytes
    signatures: tuple[Signature, ...]

    def lines(self) -> list[bytes]:
        return self.text.split(b"\n")[:-1]

    def by(self, keys: Iterable[Key]) -> Iterator[tuple[Key, Signature]]:
        """Signatures that claim to be of one of these keys; all others are to be ignored."""
        known = {(key.name, key.id): key for key in keys}
        for signature in self.signatures:
            key = known.get((signature.name, signature.id))
            if key is not None:
                yield key, signature


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head (C2SP tlog-checkpoint)."""

    note: Note
    origin: bytes
    size: int
    root: bytes
    extended: bool


@dataclass(frozen=True, slots=True)
class Head:
    """How many entries a subject has among the first `size`, and the index of the newest."""

    note: Note
    origin: bytes
    subject: str
    size: int
    count: int
    newest: int


def unbase64(text: bytes | str) -> bytes | None:
    """The bytes; None unless this is the one spelling of them: padded, and without stray bits at the end."""
    try:
        value = b64decode(text, validate=True)
    except (NotBase64, ValueError):
        return None
    spelled = b64encode(value)
    return value if spelled == (text.encode() if isinstance(text, str) else text) else None


def key_id(name: bytes, kind: int, public: bytes) -> bytes:
    """SHA-256(name ‖ newline ‖ type ‖ key), its first four bytes."""
    return sha256(name + b"\n" + bytes([kind]) + public).digest()[:4]


def verifier_key(text: bytes) -> Key:
    """A vkey of 32 bytes; Fault if it is none."""
    name, _, rest = text.partition(b"+")
    id, _, material = rest.partition(b"+")
    decoded = unbase64(material)
    if not _is_name(name) or not _HEX.fullmatch(id) or decoded is None or len(decoded) != 33:
        raise Fault("vkey", key=text)
    key = Key(name, bytes.fromhex(id.decode()), decoded[0], decoded[1:])
    if key.id != key_id(name, key.kind, key.public):
        raise Fault("vkey_id", key=text)
    return key


def note(raw: bytes) -> Note:
    """A note in its parts, with nothing verified; Fault if it is malformed."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        raise Fault("note_utf8") from None
    if _CONTROL.search(raw):
        raise Fault("note_control")
    text, blank, signed = raw.rpartition(b"\n\n")
    if not blank or not signed.endswith(b"\n"):
        raise Fault("note_blank")
    lines = signed.split(b"\n")[:-1]
    if len(lines) > SIGNATURES:
        raise Fault("note_many", limit=SIGNATURES)
    first = text.count(b"\n") + 3
    return Note(text + b"\n", tuple(_signature(line, first + at) for at, line in enumerate(lines)))


def checkpoint(raw: bytes) -> Checkpoint:
    """A checkpoint, with nothing verified; Fault if it is malformed."""
    found = note(raw)
    lines = found.lines()
    if len(lines) < 3 or b"" in lines:
        raise Fault("checkpoint_lines")
    if not _DECIMAL.fullmatch(lines[1]) or int(lines[1]) >= 1 << 63:
        raise Fault("checkpoint_size")
    root = unbase64(lines[2])
    if root is None or len(root) != 32:
        raise Fault("checkpoint_root")
    return Checkpoint(found, lines[0], int(lines[1]), root, len(lines) > 3)


def head(raw: bytes) -> Head:
    """A subject head, with nothing verified; Fault if it is malformed."""
    found = note(raw)
    lines = found.lines()
    # without the colon, the first three lines could pass for those of a checkpoint
    if len(lines) != 4 or not lines[0].endswith(b"/subject") or b":" not in lines[1]:
        raise Fault("head_lines")
    count, _, newest = lines[3].partition(b" ")
    if not (_DECIMAL.fullmatch(lines[2]) and _DECIMAL.fullmatch(count) and _INDEX.fullmatch(newest)):
        raise Fault("head_lines")
    size, number, index = int(lines[2]), int(count), int(newest)
    if (number == 0) != (index == -1) or number > index + 1 or index >= size:
        raise Fault("head_numbers")
    return Head(found, lines[0].removesuffix(b"/subject"), lines[1].decode(), size, number, index)


def _signature(line: bytes, number: int) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(b" ")
    value = unbase64(encoded)
    if not line.startswith(_DASH) or not _is_name(name) or value is None or len(value) < 5:
        raise Fault("note_line", line=number)
    return Signature(name, value[:4], value[4:])


def _is_name(name: bytes) -> bool:
    text = name.decode(errors="surrogateescape")
    return bool(text) and "+" not in text and not any(letter.isspace() for letter in text)
