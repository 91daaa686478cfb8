"""The AsyncAPI 3 document of all events, generated from the contracts."""

import inspect
from typing import Any, get_type_hints

import orjson

from services.gateway.shapes import shape
from shared.contracts import SOURCES
from shared.kernel.actors import Role
from shared.kernel.events import Event, Language
from shared.wire.envelope import CONTENT_TYPE
from shared.wire.examples import languages, sealed

_ABOUT = """Every event is a CloudEvents 1.0 object in its canonical bytes (RFC 8785), sealed into the log
of its source: `position` has no gaps, and `previoushash` is the SHA-256 of the event before. Over RabbitMQ it
goes to the topic exchange of its service under its type; over HTTP the audit log is at `/api/v1/events`, as
pages or as a stream (Server-Sent Events) whose ids are positions of that log."""
_TEXT = {"type": "string", "minLength": 1}
_TIME = {"type": "string", "format": "date-time"}
_NUMBER = {"type": "integer", "minimum": 1}
_UUID = {"type": "string", "format": "uuid"}
ENVELOPE = {
    "type": "object",
    "description": "`time` is when it happened, `recordedtime` when it was taken (R208).",
    "properties": {
        "specversion": {"const": "1.0"},
        "id": _UUID,
        "source": {**_TEXT, "description": "A body and a service", "examples": ["/centre/registration"]},
        "type": _TEXT,
        "schemaversion": _NUMBER,
        "subject": {**_TEXT, "description": "The stream, such as application-<uuid>"},
        "streamversion": _NUMBER,
        "time": _TIME,
        "recordedtime": _TIME,
        "actor": {**_TEXT, "description": "Who acted; opaque"},
        "role": {"enum": [role.value for role in Role]},
        "body": {**_TEXT, "description": "For which body"},
        "device": {**_TEXT, "description": "On what; only where it was named"},
        "correlationid": _UUID,
        "causationid": _UUID,
        "commandid": _UUID,
        "refs": {"type": "string", "description": "kind:id of everybody and everything that it is about"},
        "datacontenttype": {"const": CONTENT_TYPE},
        "data": {"type": "object"},
        "position": {**_NUMBER, "description": "In the log of its source, without gaps"},
        "previoushash": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    },
}
ENVELOPE["required"] = [name for name in ENVELOPE["properties"] if name != "device"]  # type: ignore[attr-defined]


def document() -> dict[str, Any]:
    """AsyncAPI 3.0: a channel for each event, an example in each message."""
    spoken = languages()
    events = [event for language in spoken for event in language.events.values()]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Jianding 职业技能鉴定: events", "version": "v1", "description": _ABOUT},
        "defaultContentType": CONTENT_TYPE,
        "servers": {"broker": {"host": "rabbitmq:5672", "protocol": "amqp", "protocolVersion": "0.9.1"}},
        "channels": {_key(event): _channel(event) for event in events},
        "operations": {_key(event): _operation(event) for event in events},
        "components": {
            "messages": {_key(event): _message(event) for event in events},
            "schemas": {"Envelope": ENVELOPE, **{_key(event): _payload(event) for event in events}},
        },
        "x-sources": {language.service: _about(language) for language in spoken},
    }


def _about(language: Language) -> list[str]:
    assert language.service in SOURCES
    return sorted(language.events)


def _key(event: type[Event]) -> str:
    return f"{event.service}-{event.wire_name}"


def _channel(event: type[Event]) -> dict[str, Any]:
    exchange = {"name": f"{event.service}.events", "type": "topic", "durable": True, "vhost": "/"}
    return {
        "address": event.wire_name,
        "title": _key(event),
        "messages": {event.wire_name: {"$ref": f"#/components/messages/{_key(event)}"}},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}},
    }


def _operation(event: type[Event]) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{_key(event)}"},
        "messages": [{"$ref": f"#/channels/{_key(event)}/messages/{event.wire_name}"}],
    }


def _message(event: type[Event]) -> dict[str, Any]:
    example: dict[str, Any] = orjson.loads(sealed(event))
    return {
        "name": event.wire_name,
        "title": _key(event),
        "summary": " ".join((inspect.getdoc(event) or "").split()),
        "contentType": CONTENT_TYPE,
        "correlationId": {"location": "$message.payload#/correlationid"},
        "payload": {"$ref": f"#/components/schemas/{_key(event)}"},
        "examples": [{"name": "example", "payload": example}],
    }


def _payload(event: type[Event]) -> dict[str, Any]:
    hints, subjects = get_type_hints(event), dict(event.subjects)
    data = {
        "type": "object",
        "required": list(event.names),
        "properties": {name: _type(hints[name], subjects.get(name)) for name in event.names},
        "additionalProperties": False,
    }
    own = {"type": {"const": event.wire_name}, "schemaversion": {"const": event.version}, "data": data}
    return {"allOf": [{"$ref": "#/components/schemas/Envelope"}, {"type": "object", "properties": own}]}


def _type(hint: Any, subject: str | None) -> dict[str, Any]:
    return {**shape(hint, {}), **({"description": f"Names a subject: {subject}"} if subject else {})}
