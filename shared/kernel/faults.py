"""Numbered places where a test lets the process die. Off unless `JIANDING_FAULT=point:n` is set."""

import os

_point, _, _count = os.environ.get("JIANDING_FAULT", "").partition(":")
_left = int(_count or 1)


def reached(point: str) -> None:
    """Dies here, without any clean-up, at the n-th time that the chosen point is reached."""
    global _left
    if point != _point:
        return
    _left -= 1
    if _left == 0:
        os._exit(137)
