"""The exam day: a room's screen for check-in, absence and draw. What is sent twice is done once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.gateway.console import words
from services.gateway.console.desk import Desk, Row
from services.gateway.console.frame import Room
from services.gateway.console.language import ZONE
from services.gateway.console.pages.identity import look
from services.gateway.console.parts.form import Field, act
from services.gateway.console.parts.table import Button, Column, Table, paged
from services.gateway.problems import status_of
from shared.bus.calls import Refused
from shared.kernel.actors import Role
from shared.kernel.clock import stamp, utc_now

room = Room("day", _l("考试日"))

INVIGILATORS = frozenset({Role.INVIGILATOR})
_EXPECTED = ("ticketed", "seated")


def _held_on(desk: Desk, since: datetime) -> list[Row]:
    until = since + timedelta(days=1)
    found: list[Row] = desk.ask(
        "scheduling", "exam_days", station=desk.me.station, since=stamp(since), until=stamp(until)
    )
    return found


@room.page(
    "/day",
    _l("今日考场"),
    roles=INVIGILATORS,
    asks=[("scheduling", "exam_days")],
    waiting=lambda desk: _held_on(desk, _midnight("")),
)
def today(desk: Desk) -> str:
    since = _midnight(request.args.get("on", ""))
    found = _held_on(desk, since)
    columns = (
        Column("batch", _("批次"), "id", lambda row: url_for("console.day_hall", batch=row["batch"])),
        Column("occupation", _("职业"), link=lambda row: url_for("console.day_hall", batch=row["batch"])),
        Column("theory_at", _("理论考试"), "time"),
        Column("practical_at", _("实操考试"), "time"),
        Column("seated", _("应到"), "number"),
        Column("checked_in", _("签到"), "number"),
        Column("drawn", _("抽题"), "number"),
        Column("absent", _("缺考"), "number"),
    )
    filters = [Field("on", _("日期"), value=since.strftime("%Y-%m-%d"), hint="")]
    table = paged(columns, found, "batch", empty=_("这一天没有考试。"))
    return render_template("list.html", title=_("今日考场"), table=table, filters=filters)


def _midnight(text: str) -> datetime:
    """The beginning of a day in China: the one that is asked for, or today."""
    zone = ZoneInfo(ZONE)
    try:
        return datetime.fromisoformat(text[:10]).replace(tzinfo=zone)
    except ValueError:
        now = utc_now().astimezone(zone)
        return now.replace(hour=0, minute=0, second=0, microsecond=0)


@room.page("/day/<uuid:batch>", roles=INVIGILATORS, listed=False)
def hall(desk: Desk, batch: Any) -> Any:
    """Everybody of one room, by seat."""
    return _shown(desk, str(batch), request.args.get("room", ""))


def _shown(desk: Desk, batch: str, here: str) -> str:
    found = desk.ask("scheduling", "sittings", batch=batch, limit=500)
    rooms = sorted({row["room"] for row in found if row["room"]})
    here = here or (rooms[0] if rooms else "")
    rows = sorted((row for row in found if row["room"] == here), key=lambda row: row["seat"])
    return render_template(
        "hall.html", title=here or _("考场"), table=_table(rows), rooms=rooms, here=here, batch=batch
    )


def _table(rows: list[Row]) -> Table:
    columns = (
        Column("seat", _("座位"), "number"),
        Column("ticket", _("准考证"), "code"),
        Column("level", _("等级"), words=words.levels_of_one),
        Column("status", _("状态"), "status"),
        Column("paper", _("试题"), "id"),
    )
    buttons = (
        look(("ticketed", "checked_in")),
        Button(
            _("签到"),
            lambda row: url_for("console.day_check_in", id=row["application"]),
            fields=lambda row: {"ticket": row["ticket"], **_back(row)},
            only=lambda row: row["status"] == "ticketed",
            weight="main",
            ticks=(("document_checked", _("证件已核")), ("photo_matches", _("照片相符"))),
        ),
        Button(
            _("抽题"),
            lambda row: url_for("console.day_draw", id=row["application"]),
            fields=_back,
            only=lambda row: row["status"] == "checked_in",
            weight="main",
        ),
        Button(
            _("缺考"),
            lambda row: url_for("console.day_absent", id=row["application"]),
            fields=_back,
            only=lambda row: row["status"] in _EXPECTED,
            weight="grave",
        ),
    )
    return Table(columns, rows, "application", buttons=buttons, big=True, empty=_("这个考场没有考生。"))


def _back(row: Row) -> dict[str, str]:
    """The device's own time goes along: what happened before the line came back is not late."""
    return {"batch": row["batch"], "room": row["room"]}


@room.action("/day/sittings/<uuid:id>/check-in", roles=INVIGILATORS)
def check_in(desk: Desk, id: Any) -> Any:
    seen = {name: request.form.get(name) == "yes" for name in ("document_checked", "photo_matches")}
    return _act(desk, id, "check_in", _("已签到。"), ticket=request.form.get("ticket", ""), **seen)


@room.action("/day/sittings/<uuid:id>/absent", roles=INVIGILATORS)
def absent(desk: Desk, id: Any) -> Any:
    return _act(desk, id, "mark_absent", _("已登记缺考。"))


@room.action("/day/sittings/<uuid:id>/draw", roles=INVIGILATORS)
def draw(desk: Desk, id: Any) -> Any:
    return _act(desk, id, "draw_paper", _("试题已抽取。"))


def _act(desk: Desk, id: Any, method: str, done: str, **message: Any) -> Any:
    batch = request.form.get("batch", "")
    before = desk.ask("scheduling", "sitting", sitting=str(id))
    when = {"occurred_at": at} if (at := request.form.get("occurred_at", "")) else {}

    def changed() -> bool:
        return bool(desk.ask("scheduling", "sitting", sitting=str(id)) != before)

    def send() -> None:
        desk.send("scheduling", method, sitting=str(id), seen=changed, **when, **message)

    room = request.form.get("room", "")
    if request.headers.get("X-Requested-With") == "fetch":
        return _answered(desk, send, done, batch, room)
    return act(send, url_for("console.day_hall", batch=batch, room=room), done)


def _answered(desk: Desk, send: Callable[[], None], done: str, batch: str, room: str) -> tuple[str, int]:
    """The room as it is now, with a status that tells offline.js what came of it: whether to send again."""
    status = 200
    try:
        send()
    except Refused as refused:
        flash(refused.problem, "problem")  # type: ignore[arg-type]
        status = status_of(refused.problem)
    else:
        flash(done, "done")
    return _shown(desk, batch, room), status
