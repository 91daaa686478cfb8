"""The guidance centre: what waits for its approval, notices, papers, examiners, and how stations stand."""

from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.gateway.console import words
from services.gateway.console.desk import Desk, Row
from services.gateway.console.frame import Room
from services.gateway.console.language import day
from services.gateway.console.pages import batches, station
from services.gateway.console.parts import charts
from services.gateway.console.parts.form import Field, Form, act, serve
from services.gateway.console.parts.table import Button, Column, paged
from shared.kernel.actors import Role

room = Room("centre", _l("指导中心"))

OFFICERS = frozenset({Role.CENTRE_OFFICER, Role.CENTRE_REVIEWER, Role.PAPER_CUSTODIAN})
_STAGES = ("applied", "noticed", "supplied", "seated", "closed")


@room.page(
    "/centre/reviews",
    _l("待复核申请"),
    roles={Role.CENTRE_REVIEWER},
    asks=[("registration", "applications")],
    waiting=lambda desk: desk.rows("registration", "applications", status="station_passed"),
)
def reviews(desk: Desk) -> str:
    found = desk.rows("registration", "applications", **station.filters(status="station_passed"))
    passing = Button(
        _("复核通过"),
        lambda row: url_for("console.centre_review", id=row["application"], verdict="pass"),
        fields=lambda _row: {"back": url_for("console.centre_reviews")},
        weight="main",
    )
    table = paged(
        (Column("station", _("鉴定所")), *station.columns_for_reviewers()),
        found,
        "application",
        buttons=[passing],
        empty=_("没有待复核的申请。"),
    )
    return render_template("list.html", title=_("待复核申请"), table=table)


@room.action(
    "/centre/reviews/<uuid:id>/<any(pass, reject):verdict>",
    roles={Role.CENTRE_REVIEWER},
    grave=station.rejecting,
)
def review(desk: Desk, id: Any, verdict: str) -> Any:
    return station.decide(desk, id, verdict, "centre")


# the stage at which a batch waits for somebody
_WAITS = {Role.CENTRE_OFFICER: "applied", Role.PAPER_CUSTODIAN: "noticed"}


def _unmoved(desk: Desk) -> list[Row] | None:
    stage = _WAITS.get(desk.me.role)
    return desk.rows("scheduling", "agenda", stage=stage) if stage else None


@room.page(
    "/centre/batches",
    _l("批次办理"),
    roles=OFFICERS,
    asks=[("scheduling", "agenda")],
    waiting=_unmoved,
)
def agenda(desk: Desk) -> str:
    """Batches by stage: without a notice, without papers, without seats."""
    stage = request.args.get("stage", _WAITS.get(desk.me.role, "applied"))
    found = desk.rows("scheduling", "agenda", stage=stage)
    options = [(each, words.state(each)) for each in _STAGES]
    filters = [Field("stage", _("进度"), "choice", options, value=stage)]
    table = paged(
        (Column("station", _("鉴定所")), *batches.columns()),
        found,
        "batch",
        empty=_("没有处于这一步的批次。"),
    )
    return render_template("list.html", title=_("批次办理"), table=table, filters=filters)


@room.action("/centre/batches/<uuid:id>/notice", roles={Role.CENTRE_OFFICER})
def notice(desk: Desk, id: Any) -> Any:
    return _step(
        desk, id, "issue_task_notice", _("任务通知书已下达。"), notice=request.form.get("notice", "")
    )


@room.action("/centre/batches/<uuid:id>/seal", roles={Role.PAPER_CUSTODIAN})
def seal(desk: Desk, id: Any) -> Any:
    papers = request.form.get("papers", "").split()
    return _step(desk, id, "seal_paper_pool", _("题池已封存。"), papers=papers)


@room.action("/centre/batches/<uuid:id>/close", roles={Role.CENTRE_OFFICER}, grave=lambda **_: _l("关闭批次"))
def close(desk: Desk, id: Any) -> Any:
    return _step(desk, id, "close_batch", _("批次已关闭。"))


@room.action("/centre/batches/<uuid:id>/examiners", roles={Role.CENTRE_OFFICER})
def assign(desk: Desk, id: Any) -> Any:
    before = len(desk.ask("scheduling", "panel", batch=str(id)))

    def assigned() -> bool:
        return len(desk.ask("scheduling", "panel", batch=str(id))) > before

    chosen = {
        "examiner": request.form.get("examiner", "").strip(),
        "part": request.form.get("part", ""),
        "head": "head" in request.form,
    }
    return _step(desk, id, "assign_examiner", _("考评员已委派。"), assigned, **chosen)


def _step(desk: Desk, id: Any, method: str, done: str, seen: Any = None, **message: Any) -> Any:
    before = desk.ask("scheduling", "batch", batch=str(id))

    def moved() -> bool:
        return bool(desk.ask("scheduling", "batch", batch=str(id)) != before)

    def send() -> None:
        desk.send("scheduling", method, batch=str(id), seen=seen or moved, **message)

    return act(send, url_for("console.batches_one", id=id), done)


@room.page(
    "/centre/stations",
    _l("鉴定所概况"),
    roles=OFFICERS | {Role.SUPERVISOR},
    asks=[("scheduling", "stations"), ("certification", "statistics_of")],
)
def stations(desk: Desk) -> str:
    found = desk.rows("scheduling", "stations")
    columns = (
        Column("station", _("鉴定所"), link=_of_station),
        Column("batch", _("最近批次"), "id", lambda row: url_for("console.batches_one", id=row["batch"])),
        Column("occupation", _("职业")),
        Column("theory_at", _("理论考试"), "time"),
        Column("stage", _("进度"), "status"),
    )
    return render_template("list.html", title=_("鉴定所概况"), table=paged(columns, found, "station"))


@room.page(
    "/centre/erasure",
    _l("删除个人信息"),
    roles={Role.CENTRE_OFFICER},
    asks=[("registration", "erase_person")],
    methods=("GET", "POST"),
    grave=lambda **_: _l("永久删除"),
)
def erasure(desk: Desk) -> Any:
    """Destroys what identifies somebody (R207); it cannot be undone, and events and proofs stay valid."""
    grounds = [(ground, words.ground(ground)) for ground in words.GROUNDS]
    form = Form(
        (
            Field("candidate", _("考生编号"), hint=_("须为完整编号，见其申请。")),
            Field("ground", _("理由"), "choice", grounds),
        ),
        _("永久删除"),
        weight="grave",
    )

    def send(values: dict[str, Any]) -> str:
        desk.send("registration", "erase_person", **values)
        return url_for("console.centre_erasure")

    about = _("删除身份库中的姓名、证件号码和照片，不能恢复；事件和证明仍然有效。")
    return serve(form, send, done=_("个人信息已删除。"), title=_("删除个人信息"), about=about)


def _of_station(row: Row) -> str:
    return url_for("console.centre_overview", code=row["station"])


@room.page("/centre/stations/<code>", roles=OFFICERS | {Role.SUPERVISOR}, listed=False)
def overview(desk: Desk, code: str) -> str:
    """A station's newest batches, and how many passed in each."""
    found = desk.rows("scheduling", "latest_batches", station=code)
    newest = found[:12]
    counted = {
        each["batch"]: each
        for each in (
            desk.ask("certification", "statistics_of", batches=[each["batch"] for each in newest])
            if newest
            else []
        )
    }
    by_day = sorted(newest, key=lambda batch: str(batch["theory_at"]))
    rates = [_rate(each, counted.get(each["batch"])) for each in by_day]
    chart = charts.bars(_("合格率（合格 / 公布）"), [each for each in rates if each], most=100, unit=" %")
    table = paged(batches.columns(), found, "batch")
    title = _("鉴定所 %(code)s", code=code)
    return render_template("list.html", title=title, table=table, chart=chart if chart.bars else None)


def _rate(batch: Row, counted: Row | None) -> tuple[str, float, str] | None:
    if not counted or not counted["published"]:
        return None
    return day(batch["theory_at"])[5:10], round(100 * counted["passed"] / counted["published"], 1), ""
