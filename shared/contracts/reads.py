"""What every service says when somebody reads what is sensitive (R163)."""

from dataclasses import dataclass

from shared.kernel.events import subject


@dataclass(frozen=True, kw_only=True)
class Read:
    """敏感读取: which query, about whom, and how many rows were answered. Who read stands on the envelope."""

    read: str
    query: str
    application: str = subject()
    batch: str = subject()
    rows: int
