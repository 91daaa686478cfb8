"""Numbered places where a test lets the process die, or its clock jump. Off unless `JIANDING_FAULT` is set.

`JIANDING_FAULT=seal:3` ends the process, without any clean-up, at the third time that it comes to `seal`.
`JIANDING_FAULT=clock:5` sets its clock back by an hour at the fifth look and for good.
"""

import logging
import os
from datetime import timedelta

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
    "rebuild": "a new build of a projection grows",
    "switch": "it has taken the live one's place, not committed",
    "catch-up": "a source's feed had what the bus had not brought",
}

log = logging.getLogger(__name__)

_BACK, _STEADY = timedelta(hours=1), timedelta()
_point, _, _count = os.environ.get("JIANDING_FAULT", "").partition(":")
_left = int(_count or 1)


def reached(point: str) -> None:
    """Dies here at the n-th time that the chosen point is reached."""
    global _left
    if point != _point:
        return
    _left -= 1
    if _left == 0:
        os._exit(137)


def setback() -> timedelta:
    """How far our clock has jumped back."""
    global _left
    if _point != "clock":
        return _STEADY
    _left -= 1
    if _left == 0:
        log.warning("the clock jumps back by an hour")
    return _BACK if _left <= 0 else _STEADY
