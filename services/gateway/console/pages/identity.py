"""核对身份: who stands behind an application, asked for one at a time, because each look is an event."""

from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.gateway.console.desk import Desk, Row
from services.gateway.console.frame import Room
from services.gateway.console.parts.table import Button
from shared.bus.calls import Refused
from shared.kernel.actors import Role

room = Room("identity", _l("核对身份"))

VIEWERS = frozenset({Role.EXAM_AFFAIRS, Role.STATION_REVIEWER, Role.CENTRE_REVIEWER, Role.INVIGILATOR})
_PNG = "iVBORw0KGgo"  # how one begins in base64; browsers find out about all others themselves


def look(statuses: tuple[str, ...] = ()) -> Button:
    """The button at a row about an application; `about` says in the answer whose it is."""
    return Button(
        _("核对身份"),
        lambda row: url_for("console.identity_one", id=row["application"]),
        fields=_about,
        only=lambda row: not statuses or row["status"] in statuses,
        into="person",
    )


def _about(row: Row) -> dict[str, Any]:
    return {
        "about": _("座位 %(seat)s", seat=row["seat"]) if row.get("seat") else f"…{row['application'][-8:]}"
    }


@room.action("/applications/<uuid:id>/identity", roles=VIEWERS)
def one(desk: Desk, id: Any) -> Any:
    """By POST, so that nobody looks by following a link; htmx takes the sheet alone out of this page."""
    shown: dict[str, Any] = {"title": _("核对身份"), "about": request.form.get("about", "")[:40]}
    try:
        found = desk.ask("registration", "identity", application=str(id))
    except Refused as refused:
        # htmx would call a page old whose part it was refused; the problem is the answer
        status = 200 if request.headers.get("HX-Request") else 422
        return render_template("identity.html", problem=refused.problem, **shown), status
    kind = "png" if found["photo"].startswith(_PNG) else "jpeg"
    return render_template("identity.html", found=found, kind=kind, **shown)
