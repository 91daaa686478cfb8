"""What certification answers."""

from typing import Literal, NotRequired, TypedDict

from shared.wire.answers import Code, Count, Empty, Level, Score, Sha256, Stamp, Uuid

Link = Literal["registered", "ticketed", "checked_in", "drawn", "scored", "published"]
State = Literal["valid", "not_found", "mismatch", "incomplete"]


class Certificate(TypedDict):
    """证书: all that it says."""

    number: str
    application: Uuid
    candidate: Uuid
    batch: Uuid
    station: Code
    occupation: str
    catalogue: str
    level: Level
    theory: Score
    practical: Score
    evidence_digest: Sha256
    issued_at: Stamp | Empty


class Dossier(TypedDict):
    """证书档案: which links of the chain are present (R132). Evidence may come before the registration."""

    application: Uuid
    candidate: Uuid
    batch: Uuid
    station: Code | Empty
    occupation: str
    catalogue: str
    level: Level | None
    links: list[Link]
    passed: bool | None
    status: Literal["open", "approved", "issued"]
    number: str


class Statistics(TypedDict):
    """How many of a batch came how far, each a count of candidates."""

    registered: Count
    ticketed: Count
    checked_in: Count
    drawn: Count
    scored: Count
    published: Count
    passed: Count
    approved: Count
    issued: Count


class StatisticsOf(Statistics):
    """The same with the batch that it is of."""

    batch: Uuid


class Checks(TypedDict):
    """What was looked at; the last two only for whoever knows the name."""

    number: bool
    registered: bool
    name: bool
    chain: NotRequired[bool]
    passed: NotRequired[bool]


class Checked(TypedDict):
    """查验结果: the certificate itself only for whoever knows number and name (R139)."""

    genuine: bool
    state: State
    checks: Checks
    number: NotRequired[str]
    station: NotRequired[Code]
    occupation: NotRequired[str]
    catalogue: NotRequired[str]
    level: NotRequired[Level]
    theory: NotRequired[Score]
    practical: NotRequired[Score]
    evidence_digest: NotRequired[Sha256]
    issued_at: NotRequired[Stamp | Empty]
    holder: NotRequired[str]
    document_masked: NotRequired[str]
