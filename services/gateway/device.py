"""On what somebody acts (R154): programs name it in a header, a browser is given a number of its own.

It gives no rights. Whoever throws the number away gets another, which then stands in the trail.
"""

import re

from flask import Flask, Response, g, request

from shared.kernel.ids import new_id

HEADER = "Device-Id"
_COOKIE = "jianding-device"
_LONG = 63_072_000  # two years in seconds
_OURS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def register(app: Flask) -> None:
    """From here on a browser in which somebody is signed in keeps a number.

    Nobody else gets one: what is public may be kept, and handed to others, by whoever stands between us.
    """
    app.after_request(_number)


def device() -> str:
    """As the services take it, or nothing; what a program sends is theirs to check."""
    return request.headers.get(HEADER, "") or _numbered()


def _numbered() -> str:
    said = request.cookies.get(_COOKIE, "")
    return said if _OURS.fullmatch(said) else ""


def _number(response: Response) -> Response:
    if g.get("principal") is not None and request.blueprint == "console" and not _numbered():
        response.set_cookie(
            _COOKIE, new_id(), max_age=_LONG, httponly=True, samesite="Lax", secure=request.is_secure
        )
    return response
