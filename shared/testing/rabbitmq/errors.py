"""What can go wrong with a broker for tests; the docstring is the message."""

from __future__ import annotations


class BrokerError(Exception):
    """The broker for tests could not do what was asked."""

    def __init__(self, detail: str = "") -> None:
        message = (type(self).__doc__ or "").strip()
        super().__init__(f"{message}\n{detail}" if detail else message)


class RabbitmqIsMissing(BrokerError):
    """No RabbitMQ was found or could be fetched: set RABBITMQ_URL, or install the package rabbitmq-server."""


class BrokerDidNotStart(BrokerError):
    """RabbitMQ did not become ready; its last words follow."""


class BrokerDidNotStop(BrokerError):
    """RabbitMQ was ended but still answers on its ports."""


class BrokerIsNotRunning(BrokerError):
    """RabbitMQ was asked something while it is not running, or could not make sense of it."""


class BrokerIsNotOurs(BrokerError):
    """RABBITMQ_URL names a broker of somebody else, which is neither killed nor put under an alarm."""
