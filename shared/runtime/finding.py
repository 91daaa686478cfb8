"""What a look at the installation has found."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `mend` says what to do where it is not ok, or `warns`."""

    what: str
    ok: bool
    found: str
    mend: str = ""
    warns: bool = False

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def warning(what: str, found: str, mend: str) -> Finding:
    """Nothing is broken, but somebody has to look."""
    return Finding(what, True, found, mend, warns=True)
