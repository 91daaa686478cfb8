"""The summary: computed from the events of the audit log, and from nothing else."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from shared.wire.envelope import Sealed

TOP = 2


@dataclass
class _Batch:
    """What the events of one batch add up to."""

    occupation: str = ""
    on: str = ""
    trained: int = 0
    level_of: dict[str, int] = field(default_factory=dict)
    assessed: Counter[int] = field(default_factory=Counter)
    results: dict[str, tuple[int, bool]] = field(default_factory=dict)
    certified: Counter[int] = field(default_factory=Counter)
    example: str = ""


class Summary:
    """Fold events in with `add`, then ask."""

    def __init__(self) -> None:
        self.types: Counter[str] = Counter()
        self._batches: dict[str, _Batch] = defaultdict(_Batch)

    def add(self, event: Sealed) -> None:
        self.types[event.type] += 1
        data, handler = event.attributes["data"], _HANDLERS.get(event.type)
        if handler is not None:
            handler(self._batches[data["batch"]], data)

    def examples(self) -> dict[str, str]:
        """A batch and a certificate whose trails may be looked at."""
        id, batch = next((id, batch) for id, batch in self._batches.items() if batch.example)
        return {"batch": id, "certificate": batch.example}

    def batches(self) -> list[dict[str, Any]]:
        """Each batch with its figures, by day."""
        return [_figures(batch) for batch in sorted(self._batches.values(), key=lambda batch: batch.on)]


def together(rows: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Sums over some of `Summary.batches()`."""
    figures = ("trained", "assessed", "passed", "certified")
    chosen = list(rows)
    return {figure: sum(row[figure] for row in chosen) for figure in figures}


def rate(numerator: int, denominator: int, digits: int) -> dict[str, Any]:
    """A rate never goes without what it was made from (requirements §5 M)."""
    percent = f"{100 * numerator / denominator:.{digits}f}" if denominator else "-"
    return {"percent": percent, "numerator": numerator, "denominator": denominator}


def _figures(batch: _Batch) -> dict[str, Any]:
    return {
        "occupation": batch.occupation,
        "on": batch.on,
        "trained": batch.trained,
        "assessed": sum(batch.assessed.values()),
        "assessed_by_level": {str(level): batch.assessed[level] for level in sorted(batch.assessed)},
        "passed": sum(passed for _, passed in batch.results.values()),
        "certified": sum(batch.certified.values()),
        "top": {str(level): _top(batch, level) for level in sorted(batch.assessed)},
    }


def _top(batch: _Batch, level: int) -> list[dict[str, Any]]:
    """The two best of a level by the sum of both parts; who they are, only registration's vault knows."""
    ranked = sorted(
        (
            (-total, application)
            for application, (total, passed) in batch.results.items()
            if passed and batch.level_of[application] == level
        ),
    )
    return [{"application": application, "total": -total} for total, application in ranked[:TOP]]


def _applied(batch: _Batch, data: dict[str, Any]) -> None:
    batch.occupation, batch.on = data["occupation"], data["practical_at"][:10]


def _trained(batch: _Batch, data: dict[str, Any]) -> None:
    batch.trained += len(data["trainees"])


def _registered(batch: _Batch, data: dict[str, Any]) -> None:
    batch.level_of[data["application"]] = data["level"]


def _checked_in(batch: _Batch, data: dict[str, Any]) -> None:
    batch.assessed[batch.level_of[data["application"]]] += 1


def _published(batch: _Batch, data: dict[str, Any]) -> None:
    batch.results[data["application"]] = (data["theory"] + data["practical"], data["passed"])


def _certified(batch: _Batch, data: dict[str, Any]) -> None:
    batch.certified[data["level"]] += 1
    batch.example = data["number"]


_HANDLERS = {
    "BatchApplied": _applied,
    "TrainingHeld": _trained,
    "CandidateRegistered": _registered,
    "CandidateCheckedIn": _checked_in,
    "ResultPublished": _published,
    "CertificateIssued": _certified,
}
