"""postmaster.pid: which process serves a data folder, and where; also what dead servers have left in it."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

_NOBODY = 2**22 + 1  # above the largest process id that Linux gives
_NUMBER = re.compile(r"-?[0-9]{1,10}")


@dataclass(frozen=True)
class PidFile:
    """That of the folder `data`, as it is when it is asked."""

    data: Path

    @property
    def path(self) -> Path:
        return self.data / "postmaster.pid"

    @property
    def pid(self) -> int:
        """The process that it names, negative if that only sets the folder up; 0 where it names none."""
        lines = self._lines()
        return int(lines[0]) if lines and _NUMBER.fullmatch(lines[0].strip()) else 0

    @property
    def port(self) -> int:
        """Where the server listens; 0 where none does: initdb names a port that may be anybody's."""
        lines = self._lines()
        said = lines[3].strip() if len(lines) > 3 else ""
        return int(said) if self.pid > 0 and said.isdecimal() else 0

    def is_foreign(self) -> bool:
        """Whether the process is somebody else: ours died, and its number went on."""
        try:
            return Path(f"/proc/{self.pid}/cwd").readlink() != self.data
        except OSError:  # nobody, or a system that does not tell: pg_ctl knows what it can
            return False

    def clear(self) -> None:
        """Copes with what a dead server left behind; what may be a living one's is PostgreSQL's to judge."""
        if self.pid > 0:
            if self.is_foreign():
                self._disown()
        elif self.path.exists() and not self._served():  # a power cut left it empty, or with garbage
            self.path.unlink()

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []

    def _served(self) -> bool:
        """Whether any process works in the folder, whatever the file says."""
        return any(_works_in(process, self.data) for process in Path("/proc").glob("[0-9]*"))

    def _disown(self) -> None:
        """Puts a number that no process has into the file; the server still checks the other lines."""
        with self.path.open("r+", encoding="utf-8") as file:
            _, *rest = file.read().splitlines(keepends=True)
            file.seek(0)
            file.write("".join([f"{_NOBODY}\n", *rest]))
            file.truncate()


def lives(pid: int) -> bool:
    """Whether there is such a process; one that has ended and that nobody has asked for counts no more."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except ProcessLookupError:
        return False
    except OSError:  # somebody's, or a system that does not tell
        return True
    return not state.rpartition(")")[2].lstrip().startswith("Z")


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink() == folder
    except OSError:  # ended, or somebody else's
        return False
