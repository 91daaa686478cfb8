"""Numbered places where a test lets the process die, or its clock jump. Off unless `JIANDING_FAULT` is set.

`JIANDING_FAULT=seal:3` ends the process, without any clean-up, at the third time that it comes to `seal`.
`JIANDING_FAULT=clock:5` sets its clock back by an hour at the fifth look and for good.
"""

import logging
import os

# in the order in which an event comes to them, from a decision to a cosigned checkpoint
POINTS = {
    "append": "facts are decided and not written",
    "appended": "they are committed, and nobody was told",
    "seal": "events have their place in the log, not committed",
    "sign": "the head is signed too, not committed",
    "sealed": "the log is committed, and nothing published",
    "publish": "an event is about to be sent",
    "return": "the broker returned an event that no queue took",
    "confirm": "the broker has an event, and the mark does not say so",
    "marked": "the mark follows the confirmed prefix",
    "apply": "effects are written and the checkpoint is not",
    "checkpoint": "both are written, not committed",
    "applied": "both are committed, and nothing acknowledged",
    "ack": "all consumers have committed a batch",
    "acked": "it is acknowledged",
    "park": "an event is about to be set aside",
    "replay": "a parked event was handled, not committed",
    "rebuild": "a new build of a projection has grown by a page",
    "switch": "it has taken the live one's place, not committed",
    "catch-up": "a source's feed had what the bus had not brought",
    "signer-kept": "the signer has noted what it is going to sign",
    "signer-stored": "the checkpoint is signed and stored",
    "witness-examined": "a witness has found that it continues the last",
    "witness-kept": "the witness has noted its cosignature, and told nobody",
    "signer-published": "the checkpoint has its cosignatures",
}
_CLOCK = "clock"
_BACK = 3600  # seconds

log = logging.getLogger(__name__)


class UnknownFault(ValueError):
    """JIANDING_FAULT names no point, or not at which time a program shall come to it."""


def _read(fault: str) -> tuple[str, int]:
    """(point, at which time): `seal:3`; UnknownFault, lest a misspelt one seem survived."""
    point, _, count = fault.partition(":")
    count = count or "1"
    if point not in {"", _CLOCK, *POINTS} or not (count.isdecimal() and int(count)):
        raise UnknownFault(
            f"JIANDING_FAULT={fault[:40]}: POINT or POINT:TIME of {_CLOCK}, {', '.join(POINTS)}"
        )
    return point, int(count)


_point, _left = _read(os.environ.get("JIANDING_FAULT", ""))


def reached(point: str) -> None:
    """Dies here at the n-th time that the chosen point is reached."""
    global _left
    if point != _point:
        return
    _left -= 1
    if _left == 0:
        os._exit(137)


def setback() -> int:
    """By how many seconds our clock has jumped back."""
    global _left
    if _point != _CLOCK:
        return 0
    _left -= 1
    if _left == 0:
        log.warning("the clock jumps back by an hour")
    return _BACK if _left <= 0 else 0
