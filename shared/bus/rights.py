"""Who may do what at the broker: an account for each program, with the rights that it needs and no more.

`python -m shared.bus.rights FOLDER` prints what RabbitMQ loads at its start, with salted hashes of the
passwords in FOLDER's files `broker.ACCOUNT.password`.
"""

import base64
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from shared.bus.topology import exchange_name, queue_name
from shared.contracts import SERVICES, SOURCES

ADMINISTRATOR = "jianding"
RELAYS = {f"{source}-relay": source for source in SOURCES}
SUBSCRIBER = "subscriber"  # listens to events from outside
CALLER = "caller"  # asks the services from outside
GATEWAY = "gateway"  # asks them for whoever comes by HTTP
ACCOUNTS = (ADMINISTRATOR, *SERVICES, *RELAYS, SUBSCRIBER, CALLER, GATEWAY)
_CALLERS = {
    CALLER: "standalone_rpc_proxy",
    GATEWAY: GATEWAY,
}  # what nameko calls a caller in its queue's name

CALLS = "nameko-rpc"
_ID = "[0-9a-f-]{36}"


class Rights(NamedTuple):
    """Regular expressions over the names of exchanges and queues; the empty one allows nothing.

    To configure is to declare and to delete. A binding writes to its queue and reads from its exchange.
    """

    configure: str
    write: str
    read: str


class Keys(NamedTuple):
    """Regular expressions over the routing keys of calls: those to publish under, those to bind to."""

    write: str
    read: str


def rights(account: str) -> Rights:
    """LookupError for an account that there is not."""
    if account == ADMINISTRATOR:
        return Rights(".*", ".*", ".*")
    if account in RELAYS:
        exchange = _only(_literal(exchange_name(RELAYS[account])))
        return Rights(configure=exchange, write=exchange, read="")
    own = _own(account)
    # kombu declares the exchange that it binds a queue to, so whoever comes first makes it
    makes = _events() if account in SERVICES else ()
    hears = () if account in _CALLERS else _events()
    return Rights(configure=_only(*own, *makes), write=_only(*own), read=_only(*own, *hears))


def keys(account: str) -> Keys | None:
    """Who may be called, and whose calls be taken: without this every queue could be bound to all calls."""
    if account in _CALLERS:
        return Keys(write=_only(*(rf"{service}\.\w+" for service in SERVICES)), read=_only(_ID))
    if account in SERVICES:
        # an answer's routing key is the id of whoever asked
        feeds = (rf"{source}\.events_after" for source in SOURCES)
        return Keys(write=_only(*feeds, _ID), read=_only(rf"{account}\.\*", _ID))
    return None


def _own(account: str) -> tuple[str, ...]:
    if account == SUBSCRIBER:
        return (r"subscriber\..+", "evt-.+")
    if account in _CALLERS:
        return (_replies(_CALLERS[account]), CALLS)
    if account in SERVICES:
        subscribed = (_literal(queue_name(account, source)) for source in SOURCES)
        return (f"rpc-{account}", _replies(account), *subscribed, CALLS)
    raise LookupError(account)


def _replies(caller: str) -> str:
    return rf"rpc\.reply-{caller}-{_ID}"


def _events() -> tuple[str, ...]:
    return tuple(_literal(exchange_name(source)) for source in SOURCES)


def _literal(name: str) -> str:
    return name.replace(".", r"\.")


def _only(*patterns: str) -> str:
    # RabbitMQ searches: without anchors a name that contains an allowed one would be allowed
    return f"^({'|'.join(patterns)})$"


# --- what RabbitMQ loads


def definitions(passwords: Mapping[str, str], virtual_host: str = "/") -> dict[str, Any]:
    """These accounts and their rights, in the form of RabbitMQ's definition files."""
    limited = {account: found for account in passwords if (found := keys(account))}
    return {
        "vhosts": [{"name": virtual_host}],
        "users": [_user(account, password) for account, password in passwords.items()],
        "permissions": [
            {"user": account, "vhost": virtual_host, **rights(account)._asdict()} for account in passwords
        ],
        "topic_permissions": [
            {"user": account, "vhost": virtual_host, "exchange": CALLS, **found._asdict()}
            for account, found in limited.items()
        ],
    }


def _user(account: str, password: str) -> dict[str, Any]:
    return {
        "name": account,
        "password_hash": _hash(password, os.urandom(4)),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": ["administrator"] if account == ADMINISTRATOR else [],
    }


def _hash(password: str, salt: bytes) -> str:
    """https://www.rabbitmq.com/docs/passwords#computing-password-hash"""
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _password(path: Path) -> str:
    # as the entrypoint's `$(cat ...)` reads it
    password = path.read_text(encoding="utf-8").rstrip("\n") if path.exists() else ""
    return password or sys.exit(f"{path} is missing or empty; run deploy/secrets-init and mount it")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    passwords = {account: _password(folder / f"broker.{account}.password") for account in ACCOUNTS}
    print(json.dumps(definitions(passwords), indent=2))
