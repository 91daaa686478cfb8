"""Files that others wrote: read from the installed wheel of django-htmx, which is never imported."""

from functools import cache
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path

from flask import Blueprint, Response, abort, request, url_for

_FOREIGN = {
    "htmx.js": "django_htmx/static/django_htmx/htmx-2.min.js",
    "sse.js": "django_htmx/static/django_htmx/ext/hx-sse-2.min.js",
}
_OWN = Path(__file__).parent / "static"
_A_YEAR = 31_536_000
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@cache
def content(name: str) -> bytes | None:
    """The bytes of a file that pages use, or None."""
    if name in _FOREIGN:
        return Path(str(distribution("django-htmx").locate_file(_FOREIGN[name]))).read_bytes()
    own = {path.name: path for path in _OWN.iterdir()}
    return own[name].read_bytes() if name in own else None


@cache
def version(name: str) -> str:
    """A new one with every change, so that browsers may keep what they have for ever."""
    return sha256(content(name) or b"").hexdigest()[:12]


def hang(blueprint: Blueprint) -> None:
    """Serves them under /console/assets/."""
    blueprint.add_url_rule("/console/assets/<name>", endpoint="asset", view_func=_serve)
    blueprint.add_app_template_global(_address, "asset")


def _address(name: str) -> str:
    return url_for("console.asset", name=name, v=version(name))


def _serve(name: str) -> Response:
    found = content(name)
    if found is None:
        abort(404)
    answer = Response(found, content_type=f"{_TYPES[Path(name).suffix]}; charset=utf-8")
    answer.set_etag(version(name))
    answer.cache_control.max_age = _A_YEAR
    answer.cache_control.immutable = True
    answer.cache_control.public = True
    answer.make_conditional(request)
    return answer
