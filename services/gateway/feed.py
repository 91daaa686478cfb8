"""The audit log as a feed: in pages, and as a stream that is followed (Server-Sent Events).

The id of an event is its position in the log, so whoever was cut off goes on from the log, and not from what
a broker still has.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import orjson
from flask import Response, request
from flask_smorest import Blueprint

from services.gateway.api import described, words
from services.gateway.backend import Backend, Context, NoAnswer
from services.gateway.principal import principal
from shared.bus.calls import Refused
from shared.kernel.errors import InvalidInput, Refusal
from shared.runtime.manual import manual
from shared.wire.schemas import Number, QuerySchema

PAGE = 500
MOST = 200  # streams at once
_PAUSE = 0.3  # seconds between two looks at a log that has not grown
_SIGN_OF_LIFE = 15.0  # seconds; what is between us ends a connection that is silent

Behind = Callable[[int], list[tuple[int, str]]]
"""`behind(position)` -> [(position, text)] of what comes next, in the order of the log."""


class After(QuerySchema):
    """Up to `limit` events behind position `after` of the audit log, whose first event has position 0."""

    after = Number(-1, 2**53, required=False, load_default=-1)
    limit = Number(1, PAGE, required=False, load_default=100)


class From(QuerySchema):
    """Everything behind position `after`; the header Last-Event-ID says the same, and counts more."""

    after = Number(-1, 2**53, required=False, load_default=-1)


class TooManyStreams(Refusal):
    """同时打开的事件流过多；请稍后再试。

    Too many streams of events are open; try again later.
    """


class Tail:
    """How long the log is, asked once for all who follow it."""

    def __init__(self, backend: Backend) -> None:
        self._backend, self._size, self._asked = backend, 0, 0.0
        self.readers = 0

    def grown(self, beyond: int, context: Context) -> bool:
        """Whether there is an event behind position `beyond`."""
        if self._size <= beyond + 1 and time.monotonic() - self._asked >= _PAUSE:
            self._asked = time.monotonic()
            self._size = self._backend.call("audit", "head", {}, context)["size"]
        return self._size > beyond + 1


def blueprint(backend: Backend, tail: Tail) -> Blueprint:
    """`events` and `events/stream`."""
    found = Blueprint("events", __name__)

    @found.get("/events")
    @found.doc(**_page_described())
    def events() -> Response:
        """The audit log behind a position."""
        who, asked = principal(), _asked(After)
        bodies = read(backend, who.context(), **asked)
        first = asked["after"] + 1
        rows = [{"position": first + n, "event": orjson.Fragment(body)} for n, body in enumerate(bodies)]
        response = Response(orjson.dumps(rows), content_type="application/json")
        if len(bodies) == asked["limit"]:
            last, limit = asked["after"] + len(bodies), asked["limit"]
            response.headers["Link"] = f'<{request.path}?after={last}&limit={limit}>; rel="next"'
        response.headers["Cache-Control"] = "private, no-cache"
        response.add_etag()
        return response.make_conditional(request)  # type: ignore[return-value]

    @found.get("/events/stream")
    @found.doc(**_stream_described())
    def stream() -> Response:
        """The audit log behind a position, and everything that comes to it."""
        context, after = principal().context(), last_seen()

        def behind(position: int) -> list[tuple[int, str]]:
            return list(enumerate(read(backend, context, position, PAGE), position + 1))

        return streamed(tail, context, after, behind)

    return found


def read(backend: Backend, context: Context, after: int, limit: int) -> list[str]:
    """The sealed events behind a position of the audit log, as text."""
    bodies: list[str] = backend.call("audit", "entries", {"after": after, "limit": limit}, context)
    return bodies


def streamed(tail: Tail, context: Context, after: int, behind: Behind, name: str = "") -> Response:
    """All that `behind` finds from position `after` on, as a stream of events called `name`."""
    if tail.readers >= MOST:
        raise TooManyStreams
    first = behind(after)  # refused now, or never
    spoken = _counted(tail, _spoken(follow(tail, context, after, behind, first), name))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(spoken, content_type="text/event-stream", headers=headers)


def follow(
    tail: Tail, context: Context, after: int, behind: Behind, first: list[tuple[int, str]] | None = None
) -> Iterator[tuple[int, str] | None]:
    """(position, text) of all that comes, and None as a sign of life; ends with the token."""
    found, heard = first or [], time.monotonic()
    while True:
        for after, text in found:
            heard = time.monotonic()
            yield after, text
        found = behind(after) if tail.grown(after, context) else []
        if not found:
            time.sleep(_PAUSE)
        if time.monotonic() - heard > _SIGN_OF_LIFE:
            heard = time.monotonic()
            yield None


def _counted(tail: Tail, spoken: Iterator[str]) -> Iterator[str]:
    tail.readers += 1
    try:
        with suppress(Refused, NoAnswer):  # whoever follows comes again, with another token
            yield from spoken
    finally:
        tail.readers -= 1


def _spoken(events: Iterator[tuple[int, str] | None], name: str) -> Iterator[str]:
    yield "retry: 2000\n\n"
    called = f"event: {name}\n" if name else ""
    for event in events:
        yield f"id: {event[0]}\n{called}{_lines(event[1])}\n" if event else ": \n\n"


def _lines(text: str) -> str:
    return "".join(f"data: {line}\n" for line in text.splitlines())


def _asked(schema: type[QuerySchema]) -> dict[str, Any]:
    return schema.check(words.asked(schema, request.args))


def last_seen() -> int:
    """The position that the reader of a stream has come to; InvalidInput if it is none."""
    said = request.headers.get("Last-Event-ID", "")
    if not said:
        return int(_asked(From)["after"])
    if not (said.isascii() and said.isdigit() and len(said) < 16):
        raise InvalidInput("Last-Event-ID", zh="须为日志位置。", en="It has to be a position of the log.")
    return int(said)


def _page_described() -> dict[str, Any]:
    row = {
        "type": "object",
        "required": ["position", "event"],
        "properties": {"position": {"type": "integer"}, "event": {"$ref": "#/components/schemas/Event"}},
    }
    about = "The audit log behind a position, as CloudEvents with their positions 事件流（分页）"
    return {
        **described.introduced("events", about, _roles()),
        **described.question(After, {"type": "array", "items": row}, paged=True),
    }


def _stream_described() -> dict[str, Any]:
    number = {"type": "string", "pattern": "^[0-9]{1,15}$"}
    found = described.question(From, {"type": "string"}, paged=False)
    found["parameters"][1] = {"in": "header", "name": "Last-Event-ID", "schema": number}
    about = "The same as Server-Sent Events, whose ids are positions of the log 事件流（实时）"
    found["responses"] |= {"200": {"description": about, "content": {"text/event-stream": {"schema": {}}}}}
    del found["responses"]["304"]
    return {**described.introduced("events.stream", about, _roles()), **found}


def _roles() -> tuple[str, ...]:
    return next(method.roles for method in manual("audit") if method.name == "entries")
