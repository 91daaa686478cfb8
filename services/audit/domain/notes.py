"""Signed notes and the keys that verify them (C2SP signed-note, and cosignature/v1 of tlog-cosignature)."""

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LOG, WITNESS = 0x01, 0x04  # signature types: Ed25519 over the text; timestamped cosignature of a checkpoint
MOST_SIGNATURES = 64
LARGEST = 400_000  # bytes of a note; a post-quantum signature that we do not know may take 7 kB
LATEST = 2**63 - 1

_BEGIN = "— "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_HEX = re.compile(r"[0-9a-f]{8}")


class Malformed(ValueError):
    """The text is not what it should be; the message says what is wrong with it."""


class NotSigned(ValueError):
    """No key that is trusted has signed, or a signature in a trusted key's name is not by that key."""


def unbase64(text: str) -> bytes:
    """Standard base64 with padding, in the one spelling that encoding gives; else Malformed."""
    try:
        found = b64decode(text.encode("ascii"), validate=True)
    except (NotBase64, UnicodeEncodeError):
        raise Malformed("not base64") from None
    if b64encode(found).decode() != text:
        raise Malformed("base64 in an unusual spelling")
    return found


def check_name(name: str) -> str:
    """The name, if a key may have it; else Malformed."""
    if not name or "+" in name or any(c.isspace() or c < " " or "\ud800" <= c <= "\udfff" for c in name):
        raise Malformed("a key's name has no spaces, no plus and is not empty")
    return name


@dataclass(frozen=True)
class Verifier:
    """A public key with the name of whoever signs by it; `str()` is its vkey."""

    name: str
    type: int
    key: bytes

    @classmethod
    def parse(cls, vkey: str) -> "Verifier":
        """From `name+id+base64`; Malformed for anything but an Ed25519 key of a log or a witness."""
        name, id, key, *_ = [*vkey.split("+", 2), "", ""]
        content = unbase64(key)
        if len(content) != 33 or content[0] not in (LOG, WITNESS):
            raise Malformed("not an Ed25519 key of a log (01) or a witness (04)")
        found = cls(check_name(name), content[0], content[1:])
        if not _HEX.fullmatch(id) or bytes.fromhex(id) != found.id:
            raise Malformed("the key's id does not follow from its name and key")
        return found

    @property
    def id(self) -> bytes:
        """Four bytes that stand in a signature line beside the name."""
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.key).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64encode(bytes([self.type]) + self.key).decode()}"

    def made(self, signature: "Signature") -> bool:
        """Whether a signature names this key."""
        return (signature.name, signature.id) == (self.name, self.id)

    def verify(self, text: str, signature: "Signature") -> int:
        """When it was made (0 for a log's, which bears no time); NotSigned if it is not by this key."""
        time, content, message = 0, signature.content, text
        if self.type == WITNESS:
            time, content = int.from_bytes(content[:8], "big"), content[8:]
            message = _cosigned(text, time)
        try:
            if time > LATEST:
                raise InvalidSignature
            Ed25519PublicKey.from_public_bytes(self.key).verify(content, message.encode())
        except (InvalidSignature, ValueError):
            raise NotSigned(f"the signature of {self.name} is not by its key") from None
        return time


@dataclass(frozen=True)
class Signature:
    """One signature line: who says to have signed, by which key, and the signature itself."""

    name: str
    id: bytes
    content: bytes

    @classmethod
    def parse(cls, line: str) -> "Signature":
        """From a line without its newline; Malformed if it is none."""
        name, separator, content = line.removeprefix(_BEGIN).partition(" ")
        if not line.startswith(_BEGIN) or not separator:
            raise Malformed("not a signature line")
        raw = unbase64(content)
        if len(raw) < 5:
            raise Malformed("a signature line without a signature")
        return cls(check_name(name), raw[:4], raw[4:])

    @property
    def line(self) -> str:
        """As it stands in a note, with its newline."""
        return f"{_BEGIN}{self.name} {b64encode(self.id + self.content).decode()}\n"


@dataclass(frozen=True)
class Note:
    """A text that ends in a newline, and who has signed it; `str()` is the note."""

    text: str
    signatures: tuple[Signature, ...] = ()

    @classmethod
    def parse(cls, note: str | bytes) -> "Note":
        """Malformed for whatever is no signed note; nothing is verified."""
        said = _text(note)
        if len(said) > LARGEST or _CONTROL.search(said):
            raise Malformed("a note is short and has no control characters")
        text, separator, lines = said.rpartition("\n\n")
        if not separator or not lines.endswith("\n"):
            raise Malformed("a note is a text, an empty line, and lines of signatures")
        signed = lines[:-1].split("\n")
        if len(signed) > MOST_SIGNATURES:
            raise Malformed(f"a note has at most {MOST_SIGNATURES} signatures")
        return cls(text + "\n", tuple(map(Signature.parse, signed)))

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(signature.line for signature in self.signatures)}"

    def signed_by(self, keys: Iterable[Verifier]) -> dict[Verifier, int]:
        """Which of these keys have signed, and when; NotSigned if one in a key's name is not by it."""
        return {
            key: key.verify(self.text, signature)
            for key in keys
            for signature in self.signatures
            if key.made(signature)
        }

    def with_signatures(self, more: Iterable[Signature]) -> "Note":
        """The same text; of each key the newest signature."""
        found = {(each.name, each.id): each for each in (*self.signatures, *more)}
        return Note(self.text, tuple(found.values()))


@dataclass(frozen=True)
class PrivateKey:
    """The key of a log or a witness, made from 32 random bytes."""

    name: str
    type: int
    _key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def seeded(cls, name: str, type: int, seed: bytes) -> "PrivateKey":
        """`seed`: the 32 bytes of its file."""
        return cls(check_name(name), type, Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self.type, self._key.public_key().public_bytes_raw())

    def sign(self, text: str, time: int = 0) -> Signature:
        """A signature of a note's text; by a witness: that at `time` (POSIX) it knew of no larger tree."""
        if self.type == LOG:
            return Signature(self.name, self.verifier.id, self._key.sign(text.encode()))
        content = self._key.sign(_cosigned(text, time).encode())
        return Signature(self.name, self.verifier.id, time.to_bytes(8, "big") + content)


def _cosigned(text: str, time: int) -> str:
    return f"cosignature/v1\ntime {time}\n{text}"


def _text(note: str | bytes) -> str:
    try:
        return (note.encode() if isinstance(note, str) else note).decode()
    except UnicodeError:
        raise Malformed("a note is UTF-8") from None
