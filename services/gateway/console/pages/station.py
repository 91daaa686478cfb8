"""The station's clerks: applications, found and decided; how to make one stands in applying.py."""

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.gateway.console import words
from services.gateway.console.desk import Desk, Row
from services.gateway.console.frame import Room
from services.gateway.console.language import day
from services.gateway.console.pages.identity import VIEWERS, look
from services.gateway.console.parts.form import Field, Form, act, inside
from services.gateway.console.parts.table import Button, Column, Table, paged
from shared.bus.calls import Refused
from shared.kernel.actors import Role

room = Room("station", _l("鉴定所"))

CLERKS = frozenset({Role.EXAM_AFFAIRS, Role.STATION_REVIEWER, Role.STATION_DIRECTOR})
READERS = CLERKS | {Role.CENTRE_OFFICER, Role.CENTRE_REVIEWER, Role.PAPER_CUSTODIAN, Role.SUPERVISOR}
LEVELS = [(level, _l("%(level)s 级", level=level)) for level in (5, 4, 3, 2, 1)]
_STATES = ("submitted", "station_passed", "registered", "ticketed", "concluded", "rejected", "withdrawn")
_ANY = [("", _l("全部"))]


def columns_of_applications() -> tuple[Column, ...]:
    """How a list of applications is shown, here and at the centre."""
    return (
        Column("application", _("申请"), "id", _of_application),
        Column("candidate", _("考生"), "id"),
        Column("batch", _("批次"), "id", lambda row: url_for("console.batches_one", id=row["batch"])),
        Column("occupation", _("职业")),
        Column("level", _("等级"), words=words.level),
        Column("status", _("状态"), "status"),
        Column("ticket", _("准考证"), "code"),
        Column("outcome", _("结果"), words=words.state),
        Column("reason", _("理由")),
    )


def columns_for_reviewers() -> tuple[Column, ...]:
    """The same for whoever decides about them, with what he decides by (R022, R027)."""
    first = [each for each in columns_of_applications() if each.key not in ("ticket", "outcome", "reason")]
    return (
        *first,
        Column("kind", _("类别"), words=partial(words.said, "kind")),
        Column("education", _("学历"), words=partial(words.said, "education")),
        Column("held_level", _("已持等级"), "number"),
        Column("years_in_trade", _("从业年限"), "number"),
        Column("reason", _("理由")),
    )


def _of_application(row: Row) -> str:
    return url_for("console.station_application", id=row["application"])


def filters(**fixed: Any) -> dict[str, Any]:
    """What the address asks a list of applications for."""
    asked = {name: request.args.get(name, "").strip() for name in ("status", "batch", "text")}
    return {name: value for name, value in {**asked, **fixed}.items() if value}


def fields_of_filters(batches: list[Row]) -> list[Field]:
    """The same as fields to fill in; a batch is chosen by what it is for, and when."""
    found = request.args
    options = [*_ANY, *((state, words.state(state)) for state in _STATES)]
    known = [*_ANY, *map(choice, batches)]
    asked = found.get("batch", "")
    if asked and all(asked != batch for batch, _said in known):
        known.append((asked, f"…{asked[-8:]}"))
    return [
        Field("status", _("状态"), "choice", options, value=found.get("status", ""), required=False),
        Field("batch", _("批次"), "choice", known, value=asked, required=False),
        Field("text", _("编号或准考证"), value=found.get("text", ""), required=False),
    ]


def _unreviewed(desk: Desk) -> list[Row] | None:
    if desk.me.role is not Role.STATION_REVIEWER:
        return None
    return desk.rows("registration", "applications", station=desk.me.station, status="submitted")


@room.page(
    "/station/applications",
    _l("申请一览"),
    roles=CLERKS,
    asks=[("registration", "applications")],
    waiting=_unreviewed,
)
def applications(desk: Desk) -> str:
    found = desk.rows("registration", "applications", **filters(station=desk.me.station))
    reviews = desk.me.role is Role.STATION_REVIEWER
    columns = columns_for_reviewers() if reviews else columns_of_applications()
    table = paged(columns, found, "application", buttons=[_pass()] if reviews else [])
    batches = desk.ask("scheduling", "latest_batches", station=desk.me.station, limit=50)
    tools = [(_("按姓名查找"), url_for("console.station_named"))]
    if desk.me.role is Role.EXAM_AFFAIRS:
        tools += [(_("新申请"), url_for("console.station_new", batch=request.args.get("batch", "")))]
    return render_template(
        "list.html", title=_("申请一览"), table=table, filters=fields_of_filters(batches), tools=tools
    )


@room.page(
    "/station/applications/named",
    _l("按姓名查找"),
    roles=CLERKS,
    asks=[("registration", "applications_named")],
    methods=("GET", "POST"),
)
def named(desk: Desk) -> Any:
    """Names stand in the vault alone, so a search is sent as a form, and leaves no address behind."""
    batches = desk.ask("scheduling", "latest_batches", station=desk.me.station, limit=50)
    states = [*_ANY, *((state, words.state(state)) for state in _STATES)]
    form = Form(
        (
            Field("name", _("姓名"), hint=_("须为完整姓名；查找会记入日志，姓名不会。")),
            Field("batch", _("批次"), "choice", [*_ANY, *map(choice, batches)], required=False),
            Field("status", _("状态"), "choice", states, required=False),
        ),
        _("查找"),
    )
    title = _("按姓名查找")
    if request.method == "GET":
        return render_template("named.html", title=title, form=form.fresh())
    try:
        asked = {name: value for name, value in form.values().items() if value}
        found = desk.ask("registration", "applications_named", **asked)
    except Refused as refused:
        return render_template("named.html", title=title, form=form.again(refused.problem)), 422
    empty = _("本所没有这个姓名的申请；请核对姓名用字，或去掉批次和状态再查。")
    table = Table(columns_of_applications(), found, "application", empty=empty)
    return render_template("named.html", title=title, form=form.fresh(**asked), table=table)


def choice(batch: Row) -> tuple[str, str]:
    """A batch as an option: what it is for, and when."""
    return batch["batch"], f"{batch['occupation']} · {day(batch['theory_at'])} · …{batch['batch'][-8:]}"


def _pass() -> Button:
    return Button(
        _("初审通过"),
        lambda row: url_for("console.station_review", id=row["application"], verdict="pass"),
        only=lambda row: row["status"] == "submitted",
        weight="main",
    )


@room.page("/station/applications/<uuid:id>", roles=READERS, listed=False)
def application(desk: Desk, id: Any) -> str:
    found = desk.ask("registration", "application", application=str(id))
    forms = _reviews(desk, found) if found else []
    again = bool(found) and desk.me.role is Role.EXAM_AFFAIRS
    looks = look() if desk.me.role in VIEWERS else None
    return render_template(
        "application.html", title=_("申请"), found=found, forms=forms, again=again, look=looks
    )


def _reviews(desk: Desk, found: Row) -> list[Form]:
    """What this person may decide about it now."""
    decides = {
        (Role.STATION_REVIEWER, "submitted"): ("station_review", _("初审通过"), _("初审不通过")),
        (Role.CENTRE_REVIEWER, "station_passed"): ("centre_review", _("复核通过"), _("复核不通过")),
    }
    forms = []
    if (desk.me.role, found["status"]) in decides:
        view, yes, no = decides[desk.me.role, found["status"]]
        to = {"id": found["application"]}
        forms = [
            Form((), yes, url_for(f"console.{view}", verdict="pass", **to)),
            Form(
                (Field("reason", _("理由")),),
                no,
                url_for(f"console.{view}", verdict="reject", **to),
                weight="grave",
            ),
        ]
    if desk.me.role is Role.EXAM_AFFAIRS and found["status"] in _WITHDRAWABLE:
        target = url_for("console.station_withdraw", id=found["application"])
        forms.append(Form((Field("reason", _("理由")),), _("撤回申请"), target, weight="grave"))
    return [form.fresh() for form in forms]


_WITHDRAWABLE = ("submitted", "station_passed", "registered", "ticketed")


_DECISIONS = {
    ("station", "pass"): "pass_station_review",
    ("station", "reject"): "reject_at_station",
    ("centre", "pass"): "pass_centre_review",
    ("centre", "reject"): "reject_at_centre",
}


def decide(desk: Desk, id: Any, verdict: str, level: str) -> Any:
    """Passes or rejects an application at the station or at the centre."""
    method = _DECISIONS[level, verdict]
    reason = {} if verdict == "pass" else {"reason": request.form.get("reason", "")}
    changed = _changed(desk, id)
    back = inside(request.form.get("back") or url_for("console.station_application", id=id))
    return act(
        lambda: desk.send("registration", method, application=str(id), seen=changed, **reason),
        back,
        _("审核结果已记录。"),
    )


def _changed(desk: Desk, id: Any) -> Callable[[], bool]:
    """Whether the application is shown otherwise than now."""
    before = desk.ask("registration", "application", application=str(id))
    return lambda: bool(desk.ask("registration", "application", application=str(id)) != before)


def rejecting(verdict: str, **_parts: Any) -> Any:
    """A rejection ends an application for good."""
    return _("审核不通过") if verdict == "reject" else ""


@room.action(
    "/station/applications/<uuid:id>/review/<any(pass, reject):verdict>",
    roles={Role.STATION_REVIEWER},
    grave=rejecting,
)
def review(desk: Desk, id: Any, verdict: str) -> Any:
    return decide(desk, id, verdict, "station")


@room.action(
    "/station/applications/<uuid:id>/withdraw", roles={Role.EXAM_AFFAIRS}, grave=lambda **_: _l("撤回申请")
)
def withdraw(desk: Desk, id: Any) -> Any:
    asked = {"application": str(id), "reason": request.form["reason"]}
    changed = _changed(desk, id)

    def send() -> None:
        desk.send("registration", "withdraw_application", seen=changed, **asked)

    return act(send, url_for("console.station_application", id=id), _("申请已撤回。"))
