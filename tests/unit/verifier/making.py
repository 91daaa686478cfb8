"""A small writer of exports and trails for tests: made from the formats alone, not from any code of ours."""

import json
import struct
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ORIGIN = "jianding.example/centre/audit"
NOW = 1_792_000_000
SOURCES = ("/centre/registration", "/centre/scheduling", "/station-3201/scoring")


def canonical(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def an_id(*parts: object) -> str:
    return str(uuid5(NAMESPACE_URL, " ".join(map(str, parts))))


# -- keys and notes


@dataclass(frozen=True)
class Signer:
    """A key of a log (0x01) or a witness (0x04), the same for a name in every run."""

    name: str
    kind: int
    secret: bytes

    @classmethod
    def of(cls, name: str, kind: int = 1, salt: str = "") -> "Signer":
        return cls(name, kind, sha256(f"{name} {kind} {salt}".encode()).digest())

    @property
    def key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret)

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    @property
    def id(self) -> bytes:
        return sha256(f"{self.name}\n".encode() + bytes([self.kind]) + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64encode(bytes([self.kind]) + self.public).decode()}"

    def line(self, text: str, time: int = NOW) -> str:
        if self.kind == 1:
            signature = self.key.sign(text.encode())
        else:
            said = f"cosignature/v1\ntime {time}\n{text}"
            signature = struct.pack(">Q", time) + self.key.sign(said.encode())
        return f"— {self.name} {b64encode(self.id + signature).decode()}\n"


LOG = Signer.of(ORIGIN)
WITNESSES = tuple(Signer.of(f"jianding.example/witness-{n}", 4) for n in (1, 2, 3))


def note(text: str, *signers: Signer, time: int = NOW) -> str:
    return text + "\n" + "".join(signer.line(text, time) for signer in signers)


def policy(
    needed: str = "all", logs: Sequence[Signer] = (LOG,), witnesses: Sequence[Signer] = WITNESSES
) -> str:
    lines = [f"log {log.vkey}" for log in logs]
    lines += [f"witness w{n} {witness.vkey}" for n, witness in enumerate(witnesses, 1)]
    if witnesses:
        names = " ".join(f"w{n}" for n, _ in enumerate(witnesses, 1))
        lines += [f"group witnesses {needed} {names}", "quorum witnesses"]
    else:
        lines += ["quorum none"]
    return "\n".join(lines) + "\n"


# -- the tree


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    half = _half(len(hashes))
    return sha256(b"\x01" + root(hashes[:half]) + root(hashes[half:])).digest()


def path(index: int, hashes: Sequence[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1."""
    if len(hashes) == 1:
        return []
    half = _half(len(hashes))
    if index < half:
        return [*path(index, hashes[:half]), root(hashes[half:])]
    return [*path(index - half, hashes[half:]), root(hashes[:half])]


def consistency(old: int, hashes: Sequence[bytes], whole: bool = True) -> list[bytes]:
    """RFC 6962, 2.1.2."""
    if old == len(hashes):
        return [] if whole else [root(hashes)]
    half = _half(len(hashes))
    if old <= half:
        return [*consistency(old, hashes[:half], whole), root(hashes[half:])]
    return [*consistency(old - half, hashes[half:], False), root(hashes[:half])]


def _half(count: int) -> int:
    return 1 << ((count - 1).bit_length() - 1)


# -- the log


@dataclass
class Log:
    """A log in memory. What a test wants to spoil, it spoils in `leaves` before it writes."""

    leaves: list[bytes] = field(default_factory=list)
    about: list[list[str]] = field(default_factory=list)
    _positions: dict[str, tuple[int, str]] = field(default_factory=dict)
    _newest: dict[str, tuple[int, int]] = field(default_factory=dict)

    def event(self, source: str, refs: Sequence[str], actor: str, **changes: object) -> bytes:
        """The next event of a source; `changes` are made before anything is computed from it."""
        position, previous = self._positions.get(source, (0, "0" * 64))
        event: dict[str, object] = {
            "specversion": "1.0",
            "id": an_id("event", source, position + 1),
            "source": source,
            "type": "ApplicationSubmitted",
            "schemaversion": 1,
            "subject": "application-" + an_id("stream", len(self.leaves) // 7),
            "streamversion": 1,
            "time": "2026-04-16T01:29:00.000000Z",
            "recordedtime": "2026-04-16T01:29:01.000000Z",
            "actor": actor,
            "role": "exam_affairs",
            "body": "centre",
            "correlationid": an_id("correlation", position),
            "causationid": an_id("causation", position),
            "commandid": an_id("command", position),
            "refs": " ".join(refs),
            "datacontenttype": "application/json",
            "data": {"room": "3号考场", "level": position % 5, "parts": ["理论", {"seat": position}]},
            "position": position + 1,
            "previoushash": previous,
        }
        event |= changes
        sealed = canonical({name: value for name, value in event.items() if value is not None})
        self._positions[source] = position + 1, sha256(sealed).hexdigest()
        return sealed

    def add(self, sealed: bytes, received: str = "2026-04-16T01:30:00.123456Z") -> None:
        """An entry with the links that it ought to have."""
        event = json.loads(sealed)
        refs = [ref.replace("%20", " ").replace("%25", "%") for ref in event["refs"].split(" ") if ref]
        about = list(dict.fromkeys([*refs, f"actor:{event['actor']}"]))
        links = []
        for subject in about:
            count, newest = self._newest.get(subject, (0, -1))
            links.append([count + 1, newest])
            self._newest[subject] = count + 1, len(self.leaves)
        self.about.append(about)
        self.leaves.append(sealed + b"\n" + canonical({"links": links, "received": received}))

    @classmethod
    def of(cls, count: int) -> "Log":
        """So many events of three sources about some candidates, batches and actors."""
        log = cls()
        for at in range(count):
            candidate, batch = an_id("candidate", at // 5), an_id("batch", at // 40)
            refs = [f"candidate:{candidate}", f"batch:{batch}", "room:3号%20考场"][: 1 + at % 3]
            actor = candidate if at % 7 == 0 else an_id("actor", at % 4)
            log.add(log.event(SOURCES[at % 5 % 3], refs, actor))
        return log

    @property
    def hashes(self) -> list[bytes]:
        return [leaf_hash(leaf) for leaf in self.leaves]

    def checkpoint(self, *signers: Signer, time: int = NOW) -> str:
        text = f"{ORIGIN}\n{len(self.leaves)}\n{b64encode(root(self.hashes)).decode()}\n"
        return note(text, *(signers or (LOG, *WITNESSES)), time=time)

    def write(self, folder: Path, *signers: Signer, time: int = NOW) -> Path:
        """The export, which verifies at NOW by `policy()`."""
        for name, content in self.files(*signers, time=time).items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return folder

    def files(self, *signers: Signer, time: int = NOW) -> dict[str, bytes]:
        found = {"checkpoint": self.checkpoint(*signers, time=time).encode(), "policy": policy().encode()}
        found |= tiles("entries", [struct.pack(">H", len(leaf)) + leaf for leaf in self.leaves])
        level, hashes = 0, self.hashes
        while hashes:
            found |= tiles(level, hashes)
            full = len(hashes) // 256 * 256
            hashes = [root(hashes[at : at + 256]) for at in range(0, full, 256)]
            level += 1
        return found

    def head(self, subject: str) -> str:
        """The signed subject head."""
        found = [at for at, about in enumerate(self.about) if subject in about]
        newest = found[-1] if found else -1
        return note(f"{ORIGIN}/subject\n{subject}\n{len(self.leaves)}\n{len(found)} {newest}\n", LOG)

    def bundle(self, *subjects: str, about: str = "") -> dict[str, object]:
        """The trail of these subjects, as JSON, said to be about the first."""
        hashes = self.hashes
        found = [at for at, about in enumerate(self.about) if set(subjects) & set(about)]
        return {
            "format": "jianding-trail/2",
            "about": about or subjects[0],
            "checkpoint": self.checkpoint(),
            "heads": [self.head(subject) for subject in subjects],
            "entries": [
                {
                    "index": at,
                    "leaf": b64encode(self.leaves[at]).decode(),
                    "proof": [b64encode(hash).decode() for hash in path(at, hashes)],
                }
                for at in found
            ],
        }


def tiles(level: object, contents: Sequence[bytes]) -> Iterable[tuple[str, bytes]]:
    """Path and content of each tile of a level."""
    return [
        (tile(level, at // 256, len(contents[at : at + 256])), b"".join(contents[at : at + 256]))
        for at in range(0, len(contents), 256)
    ]


def tile(level: object, number: int, width: int = 256) -> str:
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    place = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"tile/{level}/{place}" + ("" if width == 256 else f".p/{width}")
