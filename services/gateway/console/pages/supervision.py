"""Supervision: trails, the log as it grows, its verification, findings, proofs, and one's own look-ups."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from flask import (
    Response,
    copy_current_request_context,
    current_app,
    get_template_attribute,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.gateway import feed
from services.gateway.console import words
from services.gateway.console.desk import PAGE, Desk, Row
from services.gateway.console.frame import Room
from services.gateway.console.language import ZONE, clock
from services.gateway.console.parts import charts
from services.gateway.console.parts.form import Field, act
from services.gateway.console.parts.progress import Progress
from services.gateway.console.parts.table import Column, paged
from services.gateway.console.parts.timeline import Timeline
from shared.kernel.actors import Role
from shared.kernel.clock import stamp

room = Room("supervision", _l("督导"))

SUPERVISORS = frozenset({Role.SUPERVISOR})
_AT_ONCE = 200  # events that a live page catches up with, after a break
KINDS = (
    "candidate", "batch", "examiner", "certificate", "application", "ticket", "station", "room", "paper",
    "sheet", "actor",
)  # fmt: skip


@room.page("/trail", _l("全程记录"), roles=SUPERVISORS, asks=[("audit", "trail")])
def trail(desk: Desk) -> str:
    """Everything around somebody or something, and what was known of it at a moment."""
    asked = {name: request.args.get(name, "").strip() for name in ("kind", "id", "actor")}
    types = [type for type in request.args.getlist("types") if type in words.EVENTS]
    moments = {name: _moment(request.args.get(name, "")) for name in ("as_of", "since", "until")}
    found: list[Row] = []
    if asked["id"]:
        given: dict[str, Any] = {
            "kind": asked["kind"] or "batch",
            "id": asked["id"],
            "actor": asked["actor"],
            "types": types,
            **moments,
        }
        found = desk.ask("audit", "trail", limit=PAGE + 1, **_after(), **_only(given))
    narrowed = bool(types or asked["actor"] or any(moments.values()))
    return render_template(
        "trail.html",
        title=_("全程记录"),
        filters=_filters(asked, types),
        timeline=_timeline(found, _nothing(narrowed=narrowed)),
        asked=asked,
    )


def _nothing(*, narrowed: bool) -> str:
    if narrowed:
        return _("没有符合条件的事件；请放宽条件再查。")
    return _("日志中没有这个编号的事件；请核对对象和编号。")


def _only(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value}


def _after() -> dict[str, int]:
    text = request.args.get("after", "")
    return {"after": int(text)} if text.isdecimal() and len(text) < 16 else {}


def _timeline(found: list[Row], empty: str = "") -> Timeline:
    more = ""
    if len(found) > PAGE:
        parts = {**request.args.to_dict(flat=False), "after": found[PAGE - 1]["index"]}
        more = url_for(request.endpoint or "", **parts)
    return Timeline(found[:PAGE], more, empty)


def _filters(asked: dict[str, str], types: list[str]) -> list[Field]:
    values = request.args
    return [
        Field("kind", _("对象"), "choice", [(kind, words.kind(kind)) for kind in KINDS], value=asked["kind"]),
        Field("id", _("编号"), value=asked["id"]),
        Field("as_of", _("截至"), "moment", value=values.get("as_of", ""), required=False),
        Field("since", _("起"), "moment", value=values.get("since", ""), required=False),
        Field("until", _("止"), "moment", value=values.get("until", ""), required=False),
        Field("actor", _("操作人"), value=asked["actor"], required=False),
        Field("types", _("事件"), "several", _types(), value=types, required=False),
    ]


def _types() -> list[tuple[str, Any]]:
    return [(type, words.event(type)) for type in sorted(words.EVENTS)]


def _moment(text: str) -> str:
    """What a field for a moment holds, on the clocks of China; what is none, audit refuses by its name."""
    try:
        return stamp(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)))
    except ValueError:
        return text


@room.page("/trail/cause/<uuid:id>/<int:at>", roles=SUPERVISORS, listed=False)
def cause(desk: Desk, id: Any, at: int) -> str:
    """The event that led to another, or all that one command led to."""
    found = desk.ask("audit", "together", id=str(id), at=at)
    origin = desk.tried("audit", "entry", id=str(id))
    if origin and all(each["index"] != origin["index"] for each in found):
        found = [origin, *found]
    return render_template("cause.html", title=_("起因"), timeline=Timeline(found), origin=origin, id=str(id))


@room.page("/trail/export", roles=SUPERVISORS, listed=False)
def export(desk: Desk) -> Response:
    """A trail as one file that proves itself; `jianding-verify` checks it alone."""
    kind, id = request.args.get("kind", ""), request.args.get("id", "")
    found = desk.ask("audit", "bundle", kind=kind, id=id)
    answer = Response(orjson.dumps(found), content_type="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="trail-{kind}.json"'
    return answer


# -- the log as it grows


@room.page("/live", _l("实时事件"), roles=SUPERVISORS, asks=[("audit", "newest"), ("audit", "pace")])
def live(desk: Desk) -> str:
    """The newest events; `stream` brings those that follow. Without a script, the page is loaded again."""
    found = desk.ask("audit", "newest", limit=30)
    after = found[0]["index"] if found else -1
    return render_template(
        "live.html", title=_("实时事件"), timeline=Timeline(found), after=after, chart=pace_of(desk)
    )


@room.page("/live/stream", roles=SUPERVISORS, listed=False)
def stream(desk: Desk) -> Response:
    """What follows the log position that a page has come to, each event as it is shown in a timeline."""
    drawn, missed = _macro("timeline", "step"), _macro("timeline", "missed")

    def behind(position: int) -> list[tuple[int, str]]:
        found = desk.ask("audit", "newest", after=position, limit=_AT_ONCE)[::-1]
        left_out = found[0]["index"] - position - 1 if found else 0
        before = [(found[0]["index"] - 1, missed(left_out))] if left_out else []
        return before + [(each["index"], drawn(each)) for each in found]

    return feed.streamed(
        current_app.extensions["jianding.tail"], desk.me.context, feed.last_seen(), behind, "step"
    )


@room.page("/live/pace", roles=SUPERVISORS, listed=False)
def pace(desk: Desk) -> str:
    return _macro("chart", "show")(pace_of(desk))


def _macro(part: str, name: str) -> Callable[..., str]:
    """A macro of a part, to be drawn after the request has been answered too."""
    macro = get_template_attribute(f"parts/{part}.html", name)
    return copy_current_request_context(lambda *given: str(macro(*given)))


def pace_of(desk: Desk) -> charts.Chart:
    """Events per minute of the last hour."""
    found = desk.tried("audit", "pace", minutes=60) or []
    values = [(clock(each["minute"])[:5], float(each["events"])) for each in found]
    return charts.line(_("每分钟事件数（最近一小时）"), values)


@room.page("/findings", _l("异常"), roles=SUPERVISORS, asks=[("audit", "findings")])
def findings(desk: Desk) -> str:
    found = desk.ask("audit", "findings", limit=PAGE + 1, **_after())
    columns = (
        Column("id", _("编号"), "number"),
        Column("kind", _("类别"), words=words.finding),
        Column("source", _("来源"), "code"),
        Column("first_position", _("起始位置"), "number"),
        Column("last_position", _("结束位置"), "number"),
        Column("detail", _("说明")),
        Column("raised_at", _("发现时间"), "time"),
    )
    table = paged(columns, found, "id", empty=_("没有异常。"))
    return render_template("list.html", title=_("异常"), table=table, about=_("需要有人判断的情况。"))


@room.page("/lookups", _l("我的查阅"), roles=SUPERVISORS, asks=[("audit", "looks")])
def lookups(desk: Desk) -> str:
    """What of one's own looking is in the log, newest first."""
    before = {"before": after["after"]} if (after := _after()) else {}
    found = desk.ask("audit", "looks", actor=desk.me.actor, limit=PAGE + 1, **before)
    return render_template(
        "lookups.html",
        title=_("我的查阅"),
        timeline=_timeline(found),
        results=url_for("console.results_all_"),
    )


# -- verification


@room.page("/verification", _l("日志核验"), roles=SUPERVISORS, asks=[("audit", "checks")])
def verification(desk: Desk) -> str:
    tasks = desk.ask("audit", "checks", limit=10)
    newest = tasks[0] if tasks else None
    columns = (
        Column("id", _("编号"), "number"),
        Column("asked_at", _("开始"), "time"),
        Column("ended_at", _("结束"), "time"),
        Column("done", _("条目"), "number"),
        Column("outcome", _("结果")),
    )
    rows = [{**task, "outcome": _outcome(task)} for task in tasks]
    return render_template(
        "verification.html",
        title=_("日志核验"),
        progress=_progress(newest) if newest else None,
        newest=newest,
        table=paged(columns, rows, "id", caption=_("历次核验"), empty=_("还没有核验过。")),
        head=desk.ask("audit", "head"),
    )


def _progress(task: Row) -> Progress:
    return Progress(
        _("正在核验…") if task["running"] else _("上次核验"),
        task["done"],
        task["whole"],
        task["running"],
        poll=url_for("console.supervision_verification"),
        cancel=url_for("console.supervision_cancel", id=task["id"]),
        note=_outcome(task),
    )


def _outcome(task: Row) -> str:
    verdict = task["verdict"]
    if verdict is None:
        if task["running"]:
            return ""
        return _("已取消") if task["cancelled"] else _("中断，未得出结果")
    if verdict["verified"]:
        return _("核验通过：%(size)s 条", size=f"{verdict['size']:,}")
    if verdict.get("verdict") == "behind":
        return _("未发现改动，但有事件尚未到达；请稍后再核验")
    if verdict.get("verdict") == "unwitnessed":
        return _("未发现改动，但已发布的检查点会签不足；策略刚变更时请等待见证人会签")
    return _("未通过：首个有问题的条目 #%(first)s", first=verdict["first"])


@room.action("/verification/start", roles=SUPERVISORS)
def start(desk: Desk) -> Any:
    back = url_for("console.supervision_verification")
    return act(lambda: desk.ask("audit", "start_check"), back, _("核验已开始。"))


@room.action("/verification/<int:id>/cancel", roles=SUPERVISORS)
def cancel(desk: Desk, id: int) -> Any:
    back = url_for("console.supervision_verification")
    if request.headers.get("HX-Request"):
        desk.tried("audit", "cancel_check", id=id)
        return redirect(back, 303)
    return act(lambda: desk.ask("audit", "cancel_check", id=id), back, _("已请求取消。"))
