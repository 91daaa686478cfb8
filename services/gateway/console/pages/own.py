"""The candidate: his own application, ticket, result and certificate, and nobody else's."""

from flask import render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.gateway.console.desk import Desk
from services.gateway.console.frame import Room
from services.gateway.console.parts.code import code
from services.gateway.console.parts.progress import Steps
from shared.kernel.actors import Role

room = Room("own", _l("我的鉴定"))

CANDIDATES = frozenset({Role.CANDIDATE})
_WAY = ("submitted", "station_passed", "registered", "ticketed", "concluded")


@room.page(
    "/own",
    _l("我的申请"),
    roles=CANDIDATES,
    asks=[("registration", "own_applications"), ("scoring", "own_results")],
)
def applications(desk: Desk) -> str:
    me = desk.me.actor
    found = desk.ask("registration", "own_applications", candidate=me)
    results = {row["application"]: row for row in desk.ask("scoring", "own_results", candidate=me)}
    certificates = {
        row["application"]: row for row in desk.ask("certification", "own_certificates", candidate=me)
    }
    return render_template(
        "own.html",
        title=_("我的申请"),
        found=[(row, _steps(row["status"])) for row in found],
        results=results,
        certificates=certificates,
        code=code,
    )


def _steps(status: str) -> Steps:
    names = (_("提交"), _("初审"), _("复核报名"), _("准考证"), _("办结"))
    reached = _WAY.index(status) if status in _WAY else 0
    return Steps([(name, None, place <= reached) for place, name in enumerate(names)])
