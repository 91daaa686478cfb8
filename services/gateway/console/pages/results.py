"""Results: reviewed by somebody who did not score, published by the centre, corrected by two people."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.gateway.console import words
from services.gateway.console.desk import Desk, Row
from services.gateway.console.frame import Room
from services.gateway.console.pages import choosing
from services.gateway.console.parts import charts
from services.gateway.console.parts.form import Field, act
from services.gateway.console.parts.table import Button, Column, Table, paged
from shared.kernel.actors import Role

room = Room("results", _l("成绩管理"))

READERS = frozenset({Role.SCORE_REVIEWER, Role.CENTRE_OFFICER, Role.SUPERVISOR})
BOOKKEEPERS = READERS | {Role.SCORE_REGISTRAR}
_PASS_MARK = 60


def _columns() -> tuple[Column, ...]:
    return (
        Column("application", _("申请"), "id", _detail),
        Column("batch", _("批次"), "id", lambda row: url_for("console.results_one", batch=row["batch"])),
        Column("station", _("鉴定所")),
        Column("theory", _("理论"), "number"),
        Column("practical", _("实操"), "number"),
        Column("passed", _("合格"), "truth"),
        Column("status", _("状态"), "status"),
    )


def _detail(row: Row) -> str:
    return url_for("console.results_detail", id=row["application"])


@room.page("/results", _l("待办成绩"), roles=READERS, asks=[("scoring", "results_in")])
def all_(desk: Desk) -> str:
    """What waits: combined ones for review, reviewed ones for publication. Having looked is an event."""
    usual = "reviewed" if desk.me.role is Role.CENTRE_OFFICER else "combined"
    status = request.args.get("status", usual)
    found = desk.rows("scoring", "results_in", status=status)
    options = [(each, words.state(each)) for each in ("combined", "reviewed")]
    filters = [Field("status", _("状态"), "choice", options, value=status)]
    table = paged(_columns(), found, "application", buttons=_buttons(desk.me.role), empty=_("没有待办成绩。"))
    about = _("查阅未公布成绩会记入日志。")
    return render_template("list.html", title=_("待办成绩"), table=table, filters=filters, about=about)


def _buttons(role: Role) -> list[Button]:
    if role is Role.SCORE_REVIEWER:
        return [_button(_("审核确认"), "review", "combined")]
    if role is Role.CENTRE_OFFICER:
        return [_button(_("公布"), "publish", "reviewed")]
    return []


def _button(title: str, view: str, status: str) -> Button:
    return Button(
        title,
        lambda row: url_for(f"console.results_{view}", id=row["application"]),
        only=lambda row: row["status"] == status,
        weight="main",
    )


@room.action("/results/<uuid:id>/review", roles={Role.SCORE_REVIEWER})
def review(desk: Desk, id: Any) -> Any:
    return _decide(desk, id, "review_scores", _("成绩已审核。"))


@room.action("/results/<uuid:id>/publish", roles={Role.CENTRE_OFFICER})
def publish(desk: Desk, id: Any) -> Any:
    return _decide(desk, id, "publish_result", _("成绩已公布。"))


def _decide(desk: Desk, id: Any, method: str, done: str) -> Any:
    """How far it has come is waited for without its scores: each look at those would be an event."""

    def status() -> Any:
        return desk.ask("scoring", "result_status", application=str(id))

    before = status()

    def send() -> None:
        desk.send("scoring", method, result=str(id), seen=lambda: status() != before)

    return act(send, url_for("console.results_all_"), done)


@room.page("/results/<uuid:id>", roles=BOOKKEEPERS, listed=False, asks=[("scoring", "marks")])
def detail(desk: Desk, id: Any) -> str:
    """What a result is made of: whoever confirms it has looked at it, and having looked is an event."""
    found = desk.ask("scoring", "result", application=str(id))
    marks = desk.ask("scoring", "marks", application=str(id)) if found else []
    corrections = [{**each, "part": mark["part"]} for mark in marks for each in mark["corrections"]]
    buttons = [button for button in _buttons(desk.me.role) if found and button.only(found)]
    return render_template(
        "result.html",
        title=_("成绩"),
        found=found,
        marks=Table(_of_marks(), marks, "sheet", caption=_("评分表"), name="marks"),
        corrections=Table(_of_corrections(), corrections, "proposed_at", caption=_("更正"), name="changes"),
        buttons=buttons,
    )


def _of_marks() -> tuple[Column, ...]:
    return (
        Column("blind_code", _("盲码"), "code"),
        Column("part", _("科目"), words=words.state),
        Column("paper", _("试题"), "id"),
        Column("panel", _("考评组"), words=lambda panel: len(panel)),
        Column("examiner", _("考评员"), "id"),
        Column("score", _("成绩"), "number"),
        Column("signed", _("已签名"), "truth"),
        Column("sheet_digest", _("评分表摘要"), "digest"),
        Column("status", _("状态"), "status"),
    )


def _of_corrections() -> tuple[Column, ...]:
    return (
        Column("part", _("科目"), words=words.state),
        Column("proposed_at", _("申请时间"), "time"),
        Column("old", _("更正前"), "number"),
        Column("new", _("更正后"), "number"),
        Column("reason", _("理由")),
        Column("proposer", _("申请人"), "id"),
        Column("approver", _("批准人"), "id"),
    )


@room.page("/results/book", _l("成绩册"), roles=BOOKKEEPERS, asks=[("scoring", "results")])
def book(desk: Desk) -> str:
    """登分造册: every result of a batch as it stands, to be read and printed. Having looked is an event."""
    batch = request.args.get("batch", "").strip()
    found = desk.rows("scoring", "results", batch=batch) if batch else []
    empty = _("这个批次还没有合成的成绩。") if batch else _("请选择批次。")
    return render_template(
        "list.html",
        title=_("成绩册"),
        table=paged(_columns(), found, "application", empty=empty),
        filters=[choosing.batch(desk, batch)],
        about=_("查阅未公布成绩会记入日志。"),
    )


@room.page("/results/batch", _l("成绩分布"), roles=BOOKKEEPERS, asks=[("scoring", "distribution")])
def one(desk: Desk) -> Any:
    """How the published scores of a batch lie, with the mark."""
    batch = request.args.get("batch", "").strip()
    drawn = []
    if batch:
        found = desk.ask("scoring", "distribution", batch=batch)
        drawn = [_distribution(found, part) for part in ("theory", "practical")]
    return render_template(
        "charts.html", title=_("成绩分布"), drawn=drawn, filters=[choosing.batch(desk, batch)], asked=batch
    )


def _distribution(found: list[dict[str, Any]], part: str) -> charts.Chart:
    counted = {row["band"]: row[part] for row in found}
    values = [
        (str(band * 5), float(counted.get(band, 0)), "good" if band * 5 >= _PASS_MARK else "bad")
        for band in range(20)
    ]
    mark = (_PASS_MARK / 5, _("合格线 %(mark)s", mark=_PASS_MARK))
    return charts.bars(words.state(part), values, mark=mark)


@room.page(
    "/corrections",
    _l("更正申请"),
    roles={Role.SCORE_REVIEWER, Role.SUPERVISOR},
    asks=[("scoring", "proposals")],
)
def corrections(desk: Desk) -> str:
    found = desk.rows("scoring", "proposals")
    columns = (
        Column("sheet", _("评分表"), "code"),
        Column("station", _("鉴定所")),
        Column("part", _("科目"), words=words.state),
        Column("old", _("更正前"), "number"),
        Column("new", _("更正后"), "number"),
        Column("reason", _("理由")),
        Column("proposer", _("申请人"), "id"),
    )
    approving = Button(
        _("批准更正"),
        lambda row: url_for("console.results_approve", sheet=row["sheet"]),
        fields=lambda row: {"new": row["new"]},
        weight="main",
    )
    buttons = [approving] if desk.me.role is Role.SCORE_REVIEWER else []
    table = paged(columns, found, "sheet", buttons=buttons, empty=_("没有待批准的更正。"))
    return render_template("list.html", title=_("更正申请"), table=table)


@room.action("/corrections/<sheet>/approve", roles={Role.SCORE_REVIEWER})
def approve(desk: Desk, sheet: str) -> Any:
    new = request.form.get("new", "")
    if not new.isdecimal() or len(new) > 3:
        return redirect(url_for("console.results_corrections"), 303)

    def approved() -> bool:
        found = desk.ask("scoring", "sheet", sheet=sheet)
        return not (found and found["correction_waits"])

    def send() -> None:
        desk.send("scoring", "approve_correction", sheet=sheet, new=int(new), seen=approved)

    return act(send, url_for("console.results_corrections"))
