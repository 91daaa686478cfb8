"""Calls between services and from programs: nameko RPC, with the actor in the context of every call."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import eventlet
from kombu import Connection
from kombu.exceptions import OperationalError
from nameko.constants import NON_PERSISTENT
from nameko.containers import WorkerContext
from nameko.exceptions import MethodNotFound, RemoteError, UnknownService, deserialize_to_instance
from nameko.extensions import SharedExtension
from nameko.messaging import QueueConsumer
from nameko.rpc import ReplyListener, Rpc, RpcConsumer, ServiceProxy
from nameko.standalone.rpc import StandaloneProxyBase

from shared.kernel.actors import Actor
from shared.kernel.errors import Interrupted, InvalidInput, Refusal, UnknownCommand

log = logging.getLogger(__name__)

# an enrolment carries a person's identity: the broker keeps calls in memory, and forgets them with itself
_TRANSIENT = {"delivery_mode": NON_PERSISTENT}
_LOOK = 0.2  # seconds


@deserialize_to_instance
class Refused(Exception):
    """A refusal as it crosses the bus; `problem` is `{code, field, rule, zh, en}`."""

    def __init__(self, problem: dict[str, str]) -> None:
        self.problem = problem
        super().__init__(problem)

    def __str__(self) -> str:
        where = " ".join(filter(None, (self.problem["field"], self.problem["rule"])))
        return f"{self.problem['code']} [{where}]: {self.problem['zh']} {self.problem['en']}"

    @classmethod
    def of(cls, refusal: Refusal) -> "Refused":
        return cls(refusal.problem())


class NoAnswer(Exception):
    """The service did not answer in time, or is not there. Ask again with the same command_id."""


class _Patient(QueueConsumer):
    """Outlives its broker, and looks for it every two seconds: kombu would wait for up to half a minute."""

    def consume(self, *words: Any, **more: Any) -> Iterator[Any]:
        # how long kombu waits for a message before it looks whether it shall stop: by itself a whole second
        found: Iterator[Any] = super().consume(*words, **{**more, "safety_interval": _LOOK})
        return found

    def ack_message(self, message: Any) -> None:
        # nameko expects a closed connection, not one that breaks under it, and ends the service over that
        with suppress(*self.connection_errors):
            super().ack_message(message)

    def requeue_message(self, message: Any) -> None:
        with suppress(*self.connection_errors):  # a broker that lost us has taken it back itself
            super().requeue_message(message)

    @contextmanager
    def establish_connection(self) -> Iterator[Connection]:
        with self.create_connection() as connection:
            connection.ensure_connection(self.on_connection_error, interval_start=1, interval_max=2)
            yield connection


class _Queue(_Patient):
    """A service's queue of calls. What cannot be decoded is answered too, instead of dropped."""

    def on_decode_error(self, message: Any, _error: Exception) -> None:
        for replies in self._providers:
            replies.refuse(message, _NOT_JSON)


class _Replies(RpcConsumer):
    """Takes calls for all methods of a service, and sends what they answer."""

    queue_consumer = _Queue()

    def handle_message(self, body: Any, message: Any) -> None:
        if problem := _malformed(body):
            self.refuse(message, problem)
        else:
            super().handle_message(body, message)

    def get_provider_for_method(self, routing_key: str) -> Any:
        try:
            return super().get_provider_for_method(routing_key)
        except MethodNotFound:
            raise Refused.of(UnknownCommand()) from None

    def refuse(self, message: Any, refusal: Refusal) -> None:
        """Answers a call that never reaches a method."""
        refused = Refused.of(refusal)
        self.handle_result(message, None, (Refused, refused, None))

    def handle_result(self, message: Any, result: Any, exc_info: Any) -> Any:
        try:
            return super().handle_result(message, result, exc_info)
        except Exception as error:  # the broker is away, or the call does not say where to send its answer
            log.warning("an answer could not be sent: %s", type(error).__name__)
            self.queue_consumer.ack_message(message)
            return result, exc_info


_NOT_JSON = InvalidInput("message", zh="消息不是有效的 JSON。", en="The message is not JSON.")


def _malformed(body: Any) -> Refusal | None:
    """What is wrong with a call as such, before any method sees it."""
    if (
        not isinstance(body, dict)
        or not isinstance(body.get("kwargs"), dict)
        or body.get("args") not in ([], None)
    ):
        wanted = 'an object {"args": [], "kwargs": {field: value}}'
        return InvalidInput("message", zh="须为按字段名传参的对象。", en=f"It has to be {wanted}.")
    if "self" in body["kwargs"]:
        return InvalidInput("self", zh="没有这个字段，请删除。", en="It is unknown, leave it out.")
    return None


class _Entrypoint(Rpc):
    """A method that others may call, once for each time that they ask."""

    rpc_consumer = _Replies()

    def handle_message(self, body: Any, message: Any) -> None:
        # who took the call before us may have refused it and died: accepting it now would make that a lie
        if message.delivery_info.get("redelivered"):
            raise Refused.of(Interrupted())
        super().handle_message(body, message)


# a refusal is an answer, not an accident: it is not logged with a traceback
rpc = _Entrypoint.decorator(expected_exceptions=(Refused,))


class _Answers(ReplyListener):
    """Where the answers to our own calls arrive."""

    queue_consumer = _Patient()


class _Asking:
    """Stands for the entrypoint that a program's call would have had."""

    method_name = "call"


def context(actor: Actor, **more: str) -> dict[str, Any]:
    """What travels with every call: who, in which role, for which body."""
    device = {"device": actor.device} if actor.device else {}
    return {"actor": actor.id, "role": str(actor.role), "body": actor.body, **device, **more}


class Caller(SharedExtension):
    """Calls from within a container that are not part of handling another call. Safe for many greenlets."""

    replies = _Answers()

    def call(
        self, service: str, method: str, data: dict[str, Any], message: dict[str, Any], wait: float = 30
    ) -> Any:
        """The method's answer; Refused if it refused, NoAnswer if none came within `wait` seconds."""
        worker = WorkerContext(self.container, service=None, entrypoint=_Asking, data=dict(data))
        proxy = ServiceProxy(worker, service, self.replies, **_TRANSIENT)
        try:
            with eventlet.Timeout(wait, NoAnswer(f"{service}.{method}")):
                return getattr(proxy, method)(**message)
        except UnknownService:
            raise NoAnswer(f"{service} is not running") from None
        except (OperationalError, *self.replies.queue_consumer.connection_errors) as error:
            raise NoAnswer(f"{service} cannot be asked: {type(error).__name__}") from None


class Outsider(StandaloneProxyBase):  # type: ignore[misc]
    """Calls to one service from a program that is none: `with Outsider(service, config) as methods:`."""

    def __init__(self, service: str, config: dict[str, Any], **more: Any) -> None:
        super().__init__(config, **more)
        self._proxy = ServiceProxy(self._worker_ctx, service, self._reply_listener, **_TRANSIENT)


__all__ = ["Caller", "NoAnswer", "Outsider", "Refused", "RemoteError", "context", "rpc"]
