"""One RabbitMQ node as a process of ours: its files, its ports, its life and its end."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .edition import Edition
from .errors import BrokerDidNotStart, BrokerDidNotStop, BrokerIsNotRunning

NAME = "jianding@localhost"
USER = "jianding"
WATERMARK = 0.6

# Of the plugins that come with the node these are all we need. It looks into
# every plugin's folder for each of a thousand modules: seeing fewer of them, it
# starts a third sooner.
PLUGINS = {"rabbitmq_management", "rabbitmq_management_agent", "rabbitmq_web_dispatch", "rabbitmq_prelaunch"}

# The node, its port mapper and a watcher share one process group. The watcher
# reads a pipe that only we hold open: however we end, it reads the end of the
# pipe and takes the group along. The port mapper must be up before the node,
# or the node starts one that belongs to nobody.
LEASH = """
exec 3<&0 </dev/null
( { read -r _ <&3; kill -KILL 0; } & )
exec 3<&-
( epmd -address 127.0.0.1 & )
until epmd -names >/dev/null 2>&1; do sleep 0.02; done
exec "$@"
"""

CONFIGURATION = """\
listeners.tcp.local = 127.0.0.1:{ports.amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {ports.management}
default_user = {user}
default_pass = {password}
disk_free_limit.absolute = 50MB
vm_memory_high_watermark.relative = {watermark}
vm_memory_calculation_strategy = allocated
collect_statistics_interval = 1000
log.console = true
log.console.level = info
log.file = false
"""


@dataclass(frozen=True)
class Ports:
    """Four ports of 127.0.0.1 which nobody listened on when they were chosen."""

    amqp: int
    management: int
    distribution: int
    epmd: int

    @classmethod
    def free(cls) -> Ports:
        """Ports that stay ours over a restart.

        They lie below those Linux by default hands to outgoing connections: a client
        that reconnects to a killed node must not take the node's own port.
        """
        candidates = iter(random.SystemRandom().sample(range(20_000, 30_000), 1_000))
        return cls(*(next(port for port in candidates if _is_free(port)) for _ in range(4)))

    def any_open(self) -> bool:
        """Whether something still answers on one of them."""
        return any(_is_open(port) for port in (self.amqp, self.management, self.distribution, self.epmd))


@dataclass
class Node:
    """A node that keeps everything below `folder`, for its owner's eyes only."""

    folder: Path
    edition: Edition
    ports: Ports = field(default_factory=Ports.free)
    password: str = field(default_factory=lambda: secrets.token_hex(16))
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """All that the node has said, over all its lives."""
        return self.folder / "log"

    def prepare(self) -> None:
        """Write what the node reads at its start; what it has stored stays."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        configuration = CONFIGURATION.format(
            ports=self.ports, user=USER, password=self.password, watermark=WATERMARK
        )
        _write_privately(self.folder / "rabbitmq.conf", configuration)
        _write_privately(self.folder / "enabled_plugins", "[rabbitmq_management].\n")
        if not (self.folder / ".erlang.cookie").exists():
            _write_privately(self.folder / ".erlang.cookie", secrets.token_hex(16), mode=0o400)
        self._furnish(self.folder / "home")

    def _furnish(self, home: Path) -> None:
        if home.exists():
            return
        (home / "plugins").mkdir(parents=True)
        for name in ("sbin", "escript"):
            (home / name).symlink_to(self.edition.scripts.parent / name)
        for plugin in filter(_is_needed, (self.edition.scripts.parent / "plugins").iterdir()):
            (home / "plugins" / plugin.name).symlink_to(plugin)

    def launch(self) -> None:
        """Begin the node's life; it is not ready yet."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["sh", "-c", LEASH, "leash", self.folder / "home/sbin/rabbitmq-server"],
                env=self._environment(),
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def await_ready(self, ready: Callable[[], bool], seconds: float) -> None:
        """Return once `ready`; a node that ended or is late raises BrokerDidNotStart."""
        if not wait_until(lambda: self._ended() or ready(), seconds) or self._ended():
            raise BrokerDidNotStart(self._last_words())

    def terminate(self, seconds: float) -> None:
        """Let the node close its books; after `seconds` it is left to `kill`."""
        if self.process is None or self._ended():
            return
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)

    def kill(self) -> None:
        """End the node and all that belongs to it at once; return when nothing of it answers any more."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()
        self.process = None
        # The port mapper is not our child and cannot be waited for.
        if not wait_until(lambda: not _is_open(self.ports.epmd), seconds=10):
            raise BrokerDidNotStop

    def evaluate(self, expression: str) -> Any:
        """What the running node makes of an Erlang `expression`, whose value must have a JSON form.

        Raises BrokerIsNotRunning when it is not there, not listening or not able to.
        """
        said = self._ask(f"binary_to_list(binary:encode_hex(rabbit_json:encode({expression}))).\n")
        answer = re.fullmatch(r'\{ok, "([0-9A-F]+)"\}', said.strip())
        if answer is None:
            raise BrokerIsNotRunning(said)
        return json.loads(bytes.fromhex(answer[1]))

    def _ask(self, question: str) -> str:
        call, address = self.edition.erlang / "erl_call", f"127.0.0.1:{self.ports.distribution}"
        try:
            asked = subprocess.run(
                # Without -r two callers at once would have the same name, and one be refused.
                [call, "-r", "-address", address, "-timeout", "20", "-e"],
                input=question,
                env=self._environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=30,
            )
        except subprocess.TimeoutExpired as late:
            raise BrokerIsNotRunning(f"{late}") from late
        return asked.stdout

    def _ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-50:])

    def _environment(self) -> dict[str, str]:
        own = {
            "HOME": "",
            "RABBITMQ_BASE": "",
            "RABBITMQ_SCRIPTS_DIR": "home/sbin",
            "RABBITMQ_PLUGINS_DIR": "home/plugins",
            "RABBITMQ_MNESIA_BASE": "data",
            "RABBITMQ_LOG_BASE": "logs",
            "RABBITMQ_GENERATED_CONFIG_DIR": "generated",
            "RABBITMQ_SCHEMA_DIR": "schema",
            "RABBITMQ_CONFIG_FILE": "rabbitmq",
            "RABBITMQ_CONFIG_FILES": "rabbitmq.d",
            "RABBITMQ_ADVANCED_CONFIG_FILE": "advanced",
            "RABBITMQ_CONF_ENV_FILE": "environment",
            "RABBITMQ_ENABLED_PLUGINS_FILE": "enabled_plugins",
        }
        return {
            **self.edition.environment(),
            **{name: str(self.folder / place) for name, place in own.items()},
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_NODENAME": NAME,
            "RABBITMQ_DIST_PORT": str(self.ports.distribution),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} -rabbit quorum_tick_interval 200"
            ),
            "ERL_EPMD_PORT": str(self.ports.epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_CRASH_DUMP_SECONDS": "0",
            # Makes the script become the node instead of waiting beside it.
            "RUNNING_UNDER_SYSTEMD": "true",
        }


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Ask `condition` again and again; whether it came true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _is_needed(plugin: Path) -> bool:
    name = plugin.name.split("-")[0].removesuffix(".ez")
    return name in PLUGINS or not name.startswith("rabbitmq_")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _write_privately(path: Path, text: str, mode: int = 0o600) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)
