"""The command line as a person or a script uses it: a process, its exit code, what it printed."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

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


@dataclass(frozen=True)
class InProcess:
    """The same within this process, many times as quick; what the command raises reaches the test."""

    environment: dict[str, str]

    def __call__(self, *words: str) -> Done:
        from shared.runtime.cli.main import main

        output, errors = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            redirect_stdout(output),
            redirect_stderr(errors),
        ):
            for name, value in self.environment.items():
                if name.startswith("JIANDING_"):
                    patch.setenv(name, value)
            patch.setattr("sys.argv", ["jianding", *words])
            patch.setattr("sys.stdin", io.StringIO("{}"))
            code = _code_of(main)
        return Done(code, output.getvalue(), errors.getvalue())


def _code_of(command: Callable[[], None]) -> int:
    try:
        command()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0
