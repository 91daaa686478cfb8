"""What answers are made of. An entrypoint's annotation says what it answers, and OpenAPI is written from it.

Each service has its own in `answers.py`, beside the `schemas.py` of what it is asked.
"""

from typing import Annotated, Literal, TypedDict


def spelled(**words: str | int) -> tuple[tuple[str, str | int], ...]:
    """Words of JSON Schema about a type, such as `format="uuid"`."""
    return tuple(words.items())


Uuid = Annotated[str, spelled(format="uuid")]
Stamp = Annotated[str, spelled(format="date-time")]
Sha256 = Annotated[str, spelled(pattern="^[0-9a-f]{64}$")]
Hex = Annotated[str, spelled(pattern="^([0-9a-f]{2})*$")]
Base64 = Annotated[str, spelled(contentEncoding="base64")]
Count = Annotated[int, spelled(minimum=0)]
Position = Annotated[int, spelled(minimum=0, description="In a log, without gaps")]
Level = Annotated[int, spelled(minimum=1, maximum=5)]
Score = Annotated[int, spelled(minimum=0, maximum=100)]
Code = Annotated[str, spelled(pattern="^[0-9]{8}$", description="Of a station 机构代码")]
Opaque = Annotated[str, spelled(description="Whoever acts; an id that says nothing of him")]
Empty = Literal[""]  # not known yet, or not there

Part = Literal["theory", "practical"]


class Happened(TypedDict):
    """A fact that a decision has put onto the log."""

    id: Uuid
    type: str


class Decided(TypedDict):
    """What was decided; the same key gets the same again."""

    stream: str
    version: Count
    events: list[Happened]


class Done(TypedDict):
    """It is done, and there is no more to say."""


class Stated(TypedDict):
    """What a relay has stated last of the log that it publishes, signed with the time."""

    position: Position
    hash: Sha256
    time: Stamp
    signature: Hex


class LogPage(TypedDict):
    """Sealed events as text, exactly as hashed, and the log's newest signed head."""

    events: list[str]
    position: Position
    hash: Sha256
    signature: Hex
    heartbeat: Stated | None
