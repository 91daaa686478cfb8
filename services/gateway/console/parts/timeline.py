"""The timeline: events in their order, each with who, what was before and after, and what caused it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for

from services.gateway.console import words

Step = dict[str, Any]
# fields of an event that lead to a trail of their own
_SUBJECTS = {
    "candidate": "candidate",
    "batch": "batch",
    "application": "application",
    "station": "station",
    "examiner": "examiner",
    "ticket": "ticket",
    "room": "room",
    "paper": "paper",
    "blind_code": "sheet",
    "number": "certificate",
    "reviewer": "actor",
    "checker": "actor",
    "witness": "actor",
    "proposer": "actor",
    "approver": "actor",
    "officer": "actor",
}
_HIDDEN = {"sheet_digest", "evidence"}


@dataclass(frozen=True)
class Timeline:
    """Steps as audit tells them; `more` leads to those behind the last."""

    steps: Sequence[Step]
    more: str = ""
    empty: Any = ""


@dataclass(frozen=True)
class Fact:
    """One field of an event: its name, its value as text, and the trail it leads to."""

    title: Any
    text: str
    url: str


def facts(step: Step) -> list[Fact]:
    """The fields of an event in their order."""
    return [
        Fact(words.field(name), words.said(name, value), _leads(name, value))
        for name, value in step["data"].items()
        if name not in _HIDDEN and value not in ("", None, [])
    ]


def _leads(name: str, value: Any) -> str:
    kind = _SUBJECTS.get(name)
    if kind is None or not isinstance(value, str):
        return ""
    return url_for("console.supervision_trail", kind=kind, id=value)
