"""A Debian for tests of what is installed or unpacked from its packages: a folder, and commands that note."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from shared.testing.rabbitmq import Machine

_VERBS = {"update", "install", "download", "-x"}


@dataclass(frozen=True)
class Debian(Machine):
    """A machine in a folder, whose apt-get and dpkg make the files that matter to us.

    Of what apt would install (`planned`), what is `wanted` has to be fetched, and nothing else.
    """

    planned: ClassVar[tuple[str, ...]]
    wanted: ClassVar[tuple[str, ...]]

    sources: bool = True
    lists: set[str] = field(default_factory=set)
    commands: list[str] = field(default_factory=list)

    def run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> str | None:
        verb = next(word for word in command if word in _VERBS)
        assert environment is None or environment["DEBIAN_FRONTEND"] == "noninteractive"
        self.commands.append(verb)
        if verb == "-x":
            self.unpacked(Path(command[-1]))
        elif verb == "update":
            self.lists.update(self.wanted if self.sources else ())
        elif not self.lists:
            return None
        elif "--simulate" in command:
            return "".join(f"Inst {name} (1)\nConf {name} (1)\n" for name in self.planned)
        elif verb == "download":
            assert folder is not None
            assert command[command.index("download") + 1 :] == [*self.wanted]
            (folder / "some.deb").touch()
        elif verb == "install":
            self.installed()
        return ""

    def unpacked(self, folder: Path) -> None:
        """What `dpkg -x` leaves there."""

    def installed(self) -> None:
        """What `apt-get install` leaves on the machine."""
