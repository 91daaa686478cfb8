"""What audit answers."""

from typing import Annotated, Any, Literal, TypedDict

from shared.kernel.actors import Role
from shared.runtime.gauges import Standing
from shared.wire.answers import Base64, Count, Empty, Opaque, Position, Sha256, Stamp, Uuid, spelled

Seconds = Annotated[int, spelled(minimum=0, description="Since 1970")]
Note = Annotated[str, spelled(description="A signed note (C2SP signed-note)")]


class Step(TypedDict):
    """An entry of the log: who did what when, why, and with what evidence.

    `data` is the event's own content, whose shape is that of its type in the AsyncAPI document; `before` and
    `after` are of a correction. `evidence` names its fields that are hashes of something kept elsewhere.
    """

    index: Position
    time: Stamp
    recorded: Stamp
    received: Stamp
    type: str
    actor: Opaque
    role: Role
    body: str
    device: str
    source: str
    position: Position
    id: Uuid
    command: Uuid
    causation: Uuid
    correlation: Uuid
    data: dict[str, Any]
    before: Any
    after: Any
    evidence: dict[str, list[Sha256]]


class Shown(Step):
    """A step of a trail; `hidden`: no row of the index leads to it any more, and the signer knew it."""

    hidden: bool


class Finding(TypedDict):
    """What somebody has to look at: of which source, and at which positions or indexes."""

    id: Count
    kind: str
    source: str
    first_position: Position | None
    last_position: Position | None
    first_index: Position | None
    last_index: Position | None
    detail: dict[str, Any]
    raised_at: Stamp


class Head(TypedDict):
    """What the log amounts to; no root while it is empty."""

    size: Count
    root: Sha256 | Empty


class Problem(TypedDict):
    """What is wrong, and at which index, if an entry shows it."""

    index: Position | None
    problem: str


class More(TypedDict):
    """How many further problems there are of a kind."""

    problem: str
    count: Count


class Verdict(TypedDict):
    """What a verification found: `first` is the first bad index, `behind` are sources that have more,
    `lacking` what is missing of a quorum."""

    verdict: Literal["verified", "altered", "behind", "unwitnessed"]
    verified: bool
    size: Count
    root: Sha256 | Empty
    sources: dict[str, Position]
    behind: list[str]
    lacking: str
    first: Position | None
    problems: list[Problem]
    more: list[More]


class Begun(TypedDict):
    """A task that runs from now on; `checks` tells how far it has come."""

    id: Count


class Check(TypedDict):
    """核验任务: how far it has come, and what was found, once it has ended."""

    id: Count
    asked_by: Opaque
    asked_at: Stamp
    ended_at: Stamp | None
    done: Count
    whole: Count
    cancelled: bool
    verdict: Verdict | None
    running: bool


class Minute(TypedDict):
    """How many events were received in a minute."""

    minute: Stamp
    events: Count


class Proven(TypedDict):
    """An entry and the hashes that lead from it to the root of the checkpoint."""

    index: Position
    leaf: Base64
    proof: list[Base64]


class Bundle(TypedDict):
    """A trail as one file that proves itself (FORMATS.md)."""

    format: str
    about: Annotated[str, spelled(description="kind:id of the subject")]
    checkpoint: Note
    heads: list[Note]
    entries: list[Proven]


class Witness(TypedDict):
    """Up to which size, and when last, a witness has cosigned."""

    name: str
    size: Count
    time: Seconds


class Witnesses(TypedDict):
    """How far the log has come, how far it is signed, and how far a quorum has cosigned it."""

    size: Count
    signed: Count
    published: Count
    witnesses: list[Witness]


class Source(TypedDict):
    """When a source has last stated its head."""

    source: str
    seen: Stamp | Empty | None


class Published(TypedDict):
    """The newest checkpoint with a quorum, its cosigners, and how many make a quorum, if a policy says."""

    size: Count
    published: Count
    cosigned: Seconds | None
    cosigners: Count
    quorum: Count | None
    findings: Count


class AuditStanding(Standing):
    """How the service stands, and the log's sources and signatures."""

    sources: list[Source]
    checkpoint: Published
