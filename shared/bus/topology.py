"""Names and kinds of exchanges and queues, in one place, for kombu and pika alike.

`registration.events` is a durable topic exchange whose routing key is the event's type: what a plain nameko
service binds to with `@event_handler("registration", "CandidateRegistered")`.
"""

from kombu import Exchange, Queue

QUEUE_ARGUMENTS = {
    "x-queue-type": "quorum",
    "x-single-active-consumer": True,  # a second replica stands by, so order is kept
}


def exchange_name(service: str) -> str:
    return f"{service}.events"


def exchange(service: str) -> Exchange:
    return Exchange(exchange_name(service), type="topic", durable=True)


def queue_name(subscriber: str, source: str) -> str:
    return f"{subscriber}.from.{source}"


def queue(subscriber: str, source: str) -> Queue:
    """Everything that `source` says, for `subscriber`; durable, so nothing is lost while it is away."""
    return Queue(
        queue_name(subscriber, source),
        exchange=exchange(source),
        routing_key="#",
        durable=True,
        queue_arguments=QUEUE_ARGUMENTS,
    )
