"""What one writer asked and was told, line by line in a file that outlives it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.faults.history import Asked


class Journal:
    """Goes on where an earlier life of the writer has died; `asked` is everything so far.

    A line is in the file before anything else happens. One that a death has torn says nothing: a command
    that was not given yet, or an answer that is given once more.
    """

    def __init__(self, path: Path) -> None:
        torn = path.exists() and not path.read_bytes().endswith(b"\n")
        self.asked = list(read(path)) if path.exists() else []
        self._file = path.open("ab", buffering=0)
        if torn:
            self._file.write(b"\n")
        if self.open is not None:
            self.told(None)  # whether anything became of it, nobody was told

    @property
    def open(self) -> Asked | None:
        """The command of which it is not known yet what became of it."""
        last = self.asked[-1] if self.asked else None
        return last if last is not None and not last.told else None

    def close(self) -> None:
        self._file.close()

    def ask(self, command: Asked) -> None:
        self._note(asked=[command.service, command.method, command.command_id, command.by, command.message])
        self.asked.append(command)

    def told(self, answer: dict[str, Any] | None) -> None:
        self._note(told=answer)
        self.asked[-1].answers.append(answer)

    def refused(self, problem: dict[str, str]) -> None:
        self._note(refused=problem)
        self.asked[-1].refusals.append(problem)

    def _note(self, **line: Any) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")


def read(path: Path) -> Iterable[Asked]:
    """The commands in a journal, in their order, with all that was told about each."""
    command: Asked | None = None
    for line in path.read_bytes().split(b"\n"):
        try:
            said = json.loads(line)
        except ValueError:  # torn
            continue
        if "asked" in said:
            if command is not None:
                yield command
            command = Asked(*said["asked"])
        elif command is not None and "told" in said:
            command.answers.append(said["told"])
        elif command is not None:
            command.refusals.append(said["refused"])
    if command is not None:
        yield command
