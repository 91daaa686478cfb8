"""Batches: applied for by a station, and shown with the next step to whoever takes it."""

from typing import Any

from flask import abort, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.gateway.console import words
from services.gateway.console.desk import Desk, Row
from services.gateway.console.frame import Room
from services.gateway.console.pages import certificates, station
from services.gateway.console.pages.results import BOOKKEEPERS
from services.gateway.console.pages.steps import steps
from services.gateway.console.parts.form import Field, Form, act, serve, subject
from services.gateway.console.parts.progress import Steps
from services.gateway.console.parts.table import Column, paged
from shared.kernel.actors import Role

room = Room("batches", _l("批次事务"))


@room.page("/station/batches", _l("批次一览"), roles=station.CLERKS, asks=[("scheduling", "latest_batches")])
def all_(desk: Desk) -> str:
    found = desk.rows("scheduling", "latest_batches", station=desk.me.station)
    tools = []
    if desk.me.role is Role.STATION_DIRECTOR:
        tools = [(_("申请批次"), url_for("console.batches_apply"))]
    table = paged(columns(), found, "batch")
    return render_template("list.html", title=_("批次一览"), table=table, tools=tools)


def columns() -> tuple[Column, ...]:
    """How a list of batches is shown, here and at the centre."""
    return (
        Column("batch", _("批次"), "id", lambda row: url_for("console.batches_one", id=row["batch"])),
        Column("occupation", _("职业")),
        Column("levels", _("等级"), words=words.levels),
        Column("theory_at", _("理论考试"), "time"),
        Column("practical_at", _("实操考试"), "time"),
        Column("stage", _("进度"), "status"),
        Column("planned", _("计划"), "number"),
        Column("enrolled", _("入册"), "number"),
        Column("checked_in", _("签到"), "number"),
    )


@room.page(
    "/station/batches/new",
    _l("申请批次"),
    roles={Role.STATION_DIRECTOR},
    asks=[("scheduling", "apply_for_batch")],
    methods=("GET", "POST"),
)
def apply(desk: Desk) -> Any:
    form = Form(
        (
            Field("occupation", _("职业")),
            Field("catalogue", _("目录"), value="1999"),
            Field("levels", _("等级"), "many", station.LEVELS, value=[4]),
            Field("planned", _("计划人数"), "number", value=30, least=1, most=500),
            Field("theory_at", _("理论考试"), "moment"),
            Field("practical_at", _("实操考试"), "moment"),
        ),
        _("提交批次申请"),
    )

    def send(values: dict[str, Any]) -> str:
        batch = subject()
        desk.send(
            "scheduling",
            "apply_for_batch",
            batch=batch,
            station=desk.me.station,
            seen=lambda: desk.ask("scheduling", "batch", batch=batch),
            **values,
        )
        return url_for("console.batches_one", id=batch)

    return serve(form, send, done=_("批次申请已提交。"), title=_("申请批次"))


@room.page(
    "/batches/<uuid:id>",
    roles=station.READERS,
    listed=False,
)
def one(desk: Desk, id: Any) -> Any:
    found = desk.ask("scheduling", "batch", batch=str(id))
    if found is None:
        abort(404)
    statistics = desk.tried("certification", "statistics", batch=str(id)) or {}
    roster = paged(
        station.columns_of_applications(),
        desk.rows("registration", "roster", batch=str(id)),
        "application",
        caption=_("花名册"),
        empty=_("还没有人报名。"),
    )
    panel = desk.tried("scheduling", "panel", batch=str(id)) or []
    return render_template(
        "batch.html",
        title=_("批次"),
        found=found,
        steps=_steps(found, statistics),
        roster=roster,
        panel=panel,
        results=desk.me.role in BOOKKEEPERS,
        certificates=desk.me.role in certificates.READERS,
        forms=_next(desk, found),
    )


def _steps(found: Row, statistics: Row) -> Steps:
    """The way of a batch, and how many have come how far."""
    stage = ("applied", "noticed", "supplied", "seated", "closed").index(found["stage"])
    return Steps(
        [
            (_("已申请"), found["planned"], True),
            (_("入册"), found["enrolled"], found["enrolled"] > 0),
            (_("下达通知"), None, stage >= 1),
            (_("封存题池"), None, stage >= 2),
            (_("编排考位"), found["seated"], stage >= 3),
            (_("签到"), found["checked_in"], found["checked_in"] > 0),
            (_("抽题"), found["drawn"], found["drawn"] > 0),
            (_("成绩公布"), statistics.get("published", 0), statistics.get("published", 0) > 0),
            (_("发证"), statistics.get("issued", 0), statistics.get("issued", 0) > 0),
            (_("关闭批次"), None, stage >= 4),
        ]
    )


def _next(desk: Desk, found: Row) -> list[Form]:
    """What the person who looks may do with the batch at its stage."""
    if desk.me.role is Role.EXAM_AFFAIRS and found["stage"] == "supplied":
        return [seating(found).fresh()]
    return [form.fresh() for form in steps(desk, found)]


def seating(found: Row) -> Form:
    """编排考位: rooms, one on a line."""
    rooms = Field("rooms", _("考场"), "lines", hint=_("每行一个考场，每场最多 30 人。"))
    return Form((rooms,), _("随机编排考位"), url_for("console.batches_seat", id=found["batch"]))


@room.action("/station/batches/<uuid:id>/seat", roles={Role.EXAM_AFFAIRS})
def seat(desk: Desk, id: Any) -> Any:
    def send() -> None:
        rooms = [line.strip() for line in request.form.get("rooms", "").splitlines() if line.strip()]
        desk.send("scheduling", "allocate_seats", batch=str(id), rooms=rooms, seen=lambda: _seated(desk, id))

    return act(send, url_for("console.batches_one", id=id), _("考位已编排。"))


def _seated(desk: Desk, id: Any) -> bool:
    return bool(desk.ask("scheduling", "batch", batch=str(id))["stage"] == "seated")
