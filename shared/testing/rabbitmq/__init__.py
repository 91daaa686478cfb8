"""A private RabbitMQ for one test run: found or fetched, started, hurt and ended.

`private_broker(folder)` is what a fixture wants. Nothing starts on import.
"""

from .broker import Broker, ExternalBroker, broker, private_broker
from .edition import Edition, Machine
from .errors import (
    BrokerDidNotStart,
    BrokerDidNotStop,
    BrokerError,
    BrokerIsNotOurs,
    BrokerIsNotRunning,
    RabbitmqIsMissing,
)
from .find import DEFAULT_CACHE, find
from .unpack import unpacked

__all__ = [
    "DEFAULT_CACHE",
    "Broker",
    "BrokerDidNotStart",
    "BrokerDidNotStop",
    "BrokerError",
    "BrokerIsNotOurs",
    "BrokerIsNotRunning",
    "Edition",
    "ExternalBroker",
    "Machine",
    "RabbitmqIsMissing",
    "broker",
    "find",
    "private_broker",
    "unpacked",
]
