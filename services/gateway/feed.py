"""The audit log as a feed: in pages, and as a stream that is followed (Server-Sent Events).

The id of an event is its position in the log, so whoever was cut off goes on from the log, and not from what
a broker still has.
"""

import time
from collections.abc import Iterator
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


class After(QuerySchema):
    """Up to `limit` events behind position `after` of the audit log, whose first event has position 0."""

    after = Number(-1, 2**53, required=False, load_default=-1)
    limit = Number(1, PAGE, required=False, load_default=100)


class Behind(QuerySchema):
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


def blueprint(backend: Backend) -> Blueprint:
    """`events` and `events/stream`."""
    found = Blueprint("events", __name__)
    tail = Tail(backend)

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
        who, after = principal(), _last_seen()
        if tail.readers >= MOST:
            raise TooManyStreams
        first = read(backend, who.context(), after, PAGE)  # refused now, or never
        spoken = _counted(tail, _spoken(follow(backend, tail, who.context(), after, first)))
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return Response(spoken, content_type="text/event-stream", headers=headers)

    return found


def read(backend: Backend, context: Context, after: int, limit: int) -> list[str]:
    """The sealed events behind a position of the audit log, as text."""
    bodies: list[str] = backend.call("audit", "entries", {"after": after, "limit": limit}, context)
    return bodies


def follow(
    backend: Backend, tail: Tail, context: Context, after: int, first: list[str] | None = None
) -> Iterator[tuple[int, str] | None]:
    """(position, sealed event) of all that comes, and None as a sign of life; ends with the token."""
    bodies, heard = first or [], time.monotonic()
    while True:
        for body in bodies:
            after, heard = after + 1, time.monotonic()
            yield after, body
        bodies = read(backend, context, after, PAGE) if tail.grown(after, context) else []
        if not bodies:
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


def _spoken(events: Iterator[tuple[int, str] | None]) -> Iterator[str]:
    yield "retry: 2000\n\n"
    for event in events:
        yield f"id: {event[0]}\ndata: {event[1]}\n\n" if event else ": \n\n"


def _asked(schema: type[QuerySchema]) -> dict[str, Any]:
    return schema.check(words.asked(schema, request.args))


def _last_seen() -> int:
    said = request.headers.get("Last-Event-ID", "")
    if not said:
        return int(_asked(Behind)["after"])
    if not (said.isascii() and said.isdigit() and len(said) < 16):
        raise InvalidInput("Last-Event-ID", zh="须为日志位置。", en="It has to be a position of the log.")
    return int(said)


def _page_described() -> dict[str, Any]:
    row = {
        "type": "object",
        "required": ["position", "event"],
        "properties": {"position": {"type": "integer"}, "event": {"type": "object"}},
    }
    about = "The audit log behind a position, as CloudEvents with their positions 事件流（分页）"
    return {
        **described.introduced("events", about, _roles()),
        **described.question(After, {"type": "array", "items": row}, paged=True),
    }


def _stream_described() -> dict[str, Any]:
    number = {"type": "string", "pattern": "^[0-9]{1,15}$"}
    found = described.question(Behind, {"type": "string"}, paged=False)
    found["parameters"][1] = {"in": "header", "name": "Last-Event-ID", "schema": number}
    about = "The same as Server-Sent Events, whose ids are positions of the log 事件流（实时）"
    found["responses"] |= {"200": {"description": about, "content": {"text/event-stream": {"schema": {}}}}}
    del found["responses"]["304"]
    return {**described.introduced("events.stream", about, _roles()), **found}


def _roles() -> tuple[str, ...]:
    return next(method.roles for method in manual("audit") if method.name == "entries")
