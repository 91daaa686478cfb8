"""The command line as a person or a script uses it: a process, its exit code, what it printed."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    output: str
    errors: str

    @property
    def last(self) -> Any:
        """The JSON object on the last line."""
        return json.loads(self.output.splitlines()[-1])


@dataclass(frozen=True)
class CommandLine:
    """`jianding` with some settings: `CommandLine(var=folder)("verify", "--json")`."""

    environment: dict[str, str]

    @classmethod
    def of(cls, **settings: object) -> "CommandLine":
        """`var=folder` sets JIANDING_VAR; of our own environment no JIANDING_ variable is passed on."""
        theirs = {name: value for name, value in os.environ.items() if not name.startswith("JIANDING_")}
        ours = {f"JIANDING_{name.upper()}": str(value) for name, value in settings.items()}
        return cls({**theirs, **ours, "PYTHONUNBUFFERED": "1"})

    def __call__(self, *words: str, stdin: str = "", seconds: float = 120) -> Done:
        """Runs it to its end. A lone surrogate in `stdin` is the raw byte that it stands for."""
        done = subprocess.run(
            self._words(words),
            env=self.environment,
            cwd=_PROJECT,
            input=stdin,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=seconds,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """The same for a command that goes on; its output is a pipe."""
        return subprocess.Popen(
            self._words(words),
            env=self.environment,
            cwd=_PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _words(self, words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "shared.runtime.cli", *words]
