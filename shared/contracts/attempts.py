"""What every service says when somebody tried what his role or his duties forbid (R015, D3)."""

from dataclasses import dataclass

from shared.kernel.events import subject


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """职责越权尝试: which command on which stream was refused, and why. Who tried stands on the envelope."""

    attempt: str
    command: str
    code: str
    stream: str
    batch: str = subject()
