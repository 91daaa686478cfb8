"""A RabbitMQ for one test run: its own, or the one that RABBITMQ_URL names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from .edition import Edition
from .errors import BrokerIsNotOurs, BrokerIsNotRunning
from .find import find
from .management import Management
from .node import USER, WATERMARK, Node, Ports, wait_until

# The node's own list of connections; its management interface lags behind. One
# that was told to close stays on the list until its client agrees.
CLOSE = """length([closed || Pid <- rabbit_networking:connections(),
    [{{vhost, Host}}, {{state, State}}] <- [catch rabbit_networking:connection_info(Pid, [vhost, state])],
    {wanted}, State =/= closing, State =/= closed,
    ok =:= (catch rabbit_networking:close_connection(Pid, "closed by force"))])"""

COUNT = """maps:from_list([{{element(4, Name), Messages}} ||
    [{{name, Name}}, {{messages, Messages}}] <- rabbit_amqqueue:info_all({name}, [name, messages])])"""

ALARM = "begin vm_memory_monitor:set_vm_memory_high_watermark({watermark}), {alarms} end"

ALARMS = "length([on || {{resource_limit, memory, _}, _} <- rabbit_alarm:get_alarms()])"

DISK = "begin rabbit_disk_monitor:set_disk_free_limit({limit}), true end"

WRITTEN_OUT = "begin [dets:sync(Table) || Table <- dets:all()], true end"
DISK_ALARMS = "length([on || {{resource_limit, disk, _}, _} <- rabbit_alarm:get_alarms()])"

# RabbitMQ 3.10 waits for itself for five seconds when its management goes down
# with it, unless management has stopped listening to it before.
HANG_UP = "begin gen_event:delete_handler(rabbit_event, rabbit_mgmt_db_handler, []), true end"


class Broker:
    """A RabbitMQ that lives in one folder, as long as we do and no longer.

    It listens on 127.0.0.1 only and keeps its ports, its password and what it
    has stored over every restart. It ends with the process that started it,
    however that ends. Give each object a folder of its own: what one has stored
    another cannot open.
    """

    def __init__(self, folder: Path, edition: Edition | None = None) -> None:
        self._node = Node(folder.absolute(), edition or find())
        ports = self._node.ports
        self._address = f"amqp://{USER}:{self._node.password}@127.0.0.1:{ports.amqp}"
        self._management = Management(f"http://127.0.0.1:{ports.management}", USER, self._node.password)

    @property
    def url(self) -> str:
        """The broker's AMQP address with the virtual host `/`."""
        return self._url("/")

    @property
    def management(self) -> Management:
        """The broker's management interface, for what this class does not offer."""
        return self._management

    @property
    def ports(self) -> Ports:
        """Where it listens, all on 127.0.0.1."""
        return self._node.ports

    @property
    def log(self) -> Path:
        """The file with all that the broker has said."""
        return self._node.log

    def start(self, seconds: float = 60) -> None:
        """Start, or start again after `stop` or `kill`; return when it takes connections.

        Raises BrokerDidNotStart, with the last lines of the log, when it ends or is late.
        """
        if self._node.process is not None:
            return
        self._node.prepare()
        self._node.launch()
        try:
            self._node.await_ready(self._is_ready, seconds)
        except BaseException:
            self._node.kill()
            raise

    def stop(self, seconds: float = 30) -> None:
        """Shut down in good order, leaving nothing of ours running; after `seconds`, by force."""
        if self._node.process is None:
            return
        # One that crashed or hangs still leaves something to clear away.
        with suppress(BrokerIsNotRunning):
            self._node.evaluate(HANG_UP)
        self._node.terminate(seconds)
        self._node.kill()

    def write_out(self) -> None:
        """Have it write to the disk what it knows of queues.

        RabbitMQ 3.10 keeps that in memory for a while: a queue that is half a second old does not survive a
        kill, which is not ours to test.
        """
        self.evaluate(WRITTEN_OUT)

    def kill(self) -> None:
        """End it as a power cut would; clients see a broken connection when this returns."""
        self._node.kill()

    def restart(self) -> None:
        """Kill it if it runs, then start it with the same folder and ports."""
        self.kill()
        self.start()

    def virtual_host(self, name: str) -> str:
        """Make the virtual host `name`, unless it exists; its AMQP address."""
        self._management.create(name)
        return self._url(name)

    def drop_virtual_host(self, name: str) -> None:
        """Remove the virtual host with all it holds; its clients are disconnected."""
        self._management.drop(name)

    def close_connections(self, virtual_host: str | None = None) -> int:
        """Close all clients' connections (to `virtual_host`) by force; how many these were.

        A connection counts from the moment its client may use it.
        """
        wanted = "true" if virtual_host is None else f"Host =:= {_binary(virtual_host)}"
        return int(self.evaluate(CLOSE.format(wanted=wanted)))

    def queues(self, virtual_host: str = "/") -> dict[str, int]:
        """How many messages each queue holds, delivered but unacknowledged ones included.

        A quorum queue tells its count with a delay of 0.2 s.
        """
        counted = self.evaluate(COUNT.format(name=_binary(virtual_host)))
        return dict(counted)

    def alarm(self, on: bool) -> None:
        """Raise or clear the memory alarm, which blocks every publisher; a start clears it too."""
        watermark = 0.0 if on else WATERMARK
        self.evaluate(ALARM.format(watermark=watermark, alarms=ALARMS))
        if not wait_until(lambda: bool(self.evaluate(ALARMS)) is on, seconds=10):
            raise BrokerIsNotRunning("The memory alarm does not change.")

    @property
    def disk_alarmed(self) -> bool:
        """Whether it lets nobody publish, since its disk is fuller than it allows."""
        return bool(self.evaluate(DISK_ALARMS))

    def disk_full(self, on: bool) -> None:
        """Let its disk be full, which blocks every publisher, or not; a start clears it too."""
        self.evaluate(DISK.format(limit=10**18 if on else 50_000_000))
        if not wait_until(lambda: self.disk_alarmed is on, seconds=10):
            raise BrokerIsNotRunning("The disk alarm does not change.")

    def evaluate(self, expression: str) -> Any:
        """What the running node makes of an Erlang expression that has a JSON form.

        Raises BrokerIsNotRunning.
        """
        return self._node.evaluate(expression)

    def _url(self, virtual_host: str) -> str:
        return f"{self._address}/{quote(virtual_host, safe='')}"

    def _is_ready(self) -> bool:
        return self._management.confirms(self._node.ports.amqp)


class ExternalBroker(Broker):
    """Somebody else's broker: used as it is, never started, stopped or hurt.

    Its management interface is at RABBITMQ_MANAGEMENT_URL, by default port
    15672 of the same host; counts and connections come from there, some
    seconds late.
    """

    def __init__(self, url: str, management: str | None = None) -> None:
        parts = urlsplit(url)
        self._given = url
        self._address = f"{parts.scheme}://{parts.netloc}"
        self._management = Management(
            management or f"http://{parts.hostname}:15672",
            unquote(parts.username or "guest"),
            unquote(parts.password or "guest"),
        )

    @property
    def url(self) -> str:
        """RABBITMQ_URL as it was given."""
        return self._given

    @property
    def ports(self) -> Ports:
        """Raises BrokerIsNotOurs."""
        raise BrokerIsNotOurs

    @property
    def log(self) -> Path:
        """Raises BrokerIsNotOurs."""
        raise BrokerIsNotOurs

    def start(self, seconds: float = 60) -> None:
        """Do nothing: it runs."""

    def stop(self, seconds: float = 30) -> None:
        """Do nothing: it goes on running."""

    def kill(self) -> None:
        """Raises BrokerIsNotOurs."""
        raise BrokerIsNotOurs

    def alarm(self, on: bool) -> None:
        """Raises BrokerIsNotOurs."""
        raise BrokerIsNotOurs(f"A memory alarm, {on=}, was not set.")

    def evaluate(self, expression: str) -> Any:
        """Raises BrokerIsNotOurs."""
        raise BrokerIsNotOurs(expression)

    def close_connections(self, virtual_host: str | None = None) -> int:
        """As for a broker of our own, but a connection counts some seconds late."""
        return self._management.close_connections(virtual_host)

    def queues(self, virtual_host: str = "/") -> dict[str, int]:
        """As for a broker of our own, but as old as the queues' last reports."""
        return self._management.queues(virtual_host)


def broker(folder: Path, environ: Mapping[str, str] = os.environ) -> Broker:
    """The broker that RABBITMQ_URL names, else one of our own in `folder`; not started yet.

    Raises RabbitmqIsMissing when there is neither.
    """
    if url := environ.get("RABBITMQ_URL"):
        return ExternalBroker(url, environ.get("RABBITMQ_MANAGEMENT_URL"))
    return Broker(folder)


@contextmanager
def private_broker(folder: Path) -> Iterator[Broker]:
    """A running broker for the length of a `with`; see `broker` for which one."""
    running = broker(folder)
    running.start()
    try:
        yield running
    finally:
        running.stop()


def _binary(text: str) -> str:
    """`text` as an Erlang binary, whatever characters it is made of."""
    return f"<<{','.join(map(str, text.encode()))}>>"
