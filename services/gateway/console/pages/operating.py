"""The operator: how services stand, what is parked, projections built anew, witnesses."""

import json
from datetime import UTC, datetime
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.gateway.console import words
from services.gateway.console.desk import Desk, Row
from services.gateway.console.frame import Room
from services.gateway.console.pages.supervision import pace_of
from services.gateway.console.parts import charts
from services.gateway.console.parts.form import Field, Form, act
from services.gateway.console.parts.progress import Progress
from services.gateway.console.parts.table import Button, Column, Table
from shared.contracts import SERVICES
from shared.kernel.actors import Role

room = Room("operating", _l("运行"))

OPERATORS = frozenset({Role.ADMINISTRATOR})
_ASKS = [(service, "standing") for service in SERVICES]


@room.page("/operating", _l("服务与延迟"), roles=OPERATORS, asks=_ASKS)
def services(desk: Desk) -> str:
    standings = desk.of_each("standing")
    lags = _lags(standings)
    rows = [_summary(name, found) for name, found in standings.items()]
    columns = (
        Column("service", _("服务"), words=words.service),
        Column("state", _("状态")),
        Column("head", _("日志"), "number"),
        Column("unsealed", _("待封存"), "number"),
        Column("unpublished", _("待发布"), "number"),
        Column("rejected", _("拒收"), "number"),
    )
    behind = (
        Column("service", _("服务"), words=words.service),
        Column("consumer", _("消费者"), "code"),
        Column("source", _("来源"), "code"),
        Column("position", _("已处理"), "number"),
        Column("lag", _("落后"), "number"),
    )
    return render_template(
        "services.html",
        title=_("服务与延迟"),
        services=Table(columns, rows, "service", caption=_("服务")),
        consumers=Table(behind, lags, "key", caption=_("消费者"), name="consumers"),
        chart=_lag_chart(lags),
        pace=pace_of(desk),
    )


def _summary(name: str, found: Row | None) -> Row:
    if found is None:
        return {"service": name, "state": _("无响应")}
    log = found["log"] or {"head": None, "unsealed": None, "unpublished": None}
    waiting = {key: (log[key] or {"count": 0})["count"] for key in ("unsealed", "unpublished")}
    rejected = (found["rejected"] or {"count": 0})["count"]
    return {"service": name, "state": _("运行中"), "head": log["head"], **waiting, "rejected": rejected}


def _lags(standings: dict[str, Row | None]) -> list[Row]:
    """Each consumer behind the log of each of its sources."""
    sealed = {name: found["log"]["head"] for name, found in standings.items() if found and found["log"]}
    return [
        {
            **each,
            "service": name,
            "key": f"{name}-{each['consumer']}-{each['source'].rpartition('/')[2]}",
            "lag": max(0, sealed.get(each["source"].rpartition("/")[2], 0) - each["position"]),
        }
        for name, found in standings.items()
        if found
        for each in found["consumers"]
    ]


def _lag_chart(lags: list[Row]) -> charts.Chart:
    most: dict[str, int] = dict.fromkeys(SERVICES, 0)
    for each in lags:
        most[each["service"]] = max(most[each["service"]], each["lag"])
    values = [
        (words.service(name), float(lag), "bad" if lag > 1000 else "good") for name, lag in most.items()
    ]
    return charts.bars(_("落后的事件数（各服务最大值）"), values)


# -- parked events


@room.page("/parked", _l("搁置事件"), roles=OPERATORS, asks=[(service, "parked") for service in SERVICES])
def parked(desk: Desk) -> str:
    """What waits for an operator; on request also what was replayed or skipped, newest first."""
    everything = request.args.get("all", "") == "yes"
    answers = desk.of_each("parked", **({"everything": True} if everything else {}))
    rows = [
        {**row, "service": service, "key": f"{service}-{row['consumer']}-{row['position']}"}
        for service, found in answers.items()
        for row in found or []
    ]
    columns = (
        Column("service", _("服务"), words=words.service),
        Column("consumer", _("消费者"), "code"),
        Column("position", _("位置"), "number", link=lambda row: _place(row, "one")),
        Column("type", _("事件"), words=words.event),
        Column("stream", _("对象"), "id"),
        Column("reason", _("原因")),
        Column("parked_at", _("时间"), "time"),
        *([Column("status", _("状态"), "status"), Column("repair", _("处理记录"))] if everything else []),
    )
    replaying = Button(
        _("重放"),
        lambda row: _place(row, "replay"),
        only=lambda row: row["status"] == "parked",
        weight="main",
    )
    table = Table(columns, rows, "key", buttons=(replaying,), empty=_("没有搁置的事件。"))
    options = [("", _("待处理")), ("yes", _("全部"))]
    filters = [Field("all", _("显示"), "choice", options, value="yes" if everything else "", required=False)]
    tools = [(_("拒收内容"), url_for("console.operating_rejected"))]
    return render_template(
        "list.html", title=_("搁置事件"), table=table, filters=filters, tools=tools, about=_silent(answers)
    )


def _silent(answers: dict[str, Any]) -> str:
    """Which services have not answered; what they hold is missing from the page."""
    down = [words.service(service) for service, found in answers.items() if found is None]
    return _("未应答的服务：%(services)s", services=words.listed(down)) if down else ""


@room.page(
    "/parked/rejected", _l("拒收内容"), roles=OPERATORS, asks=[(each, "rejected") for each in SERVICES]
)
def rejected(desk: Desk) -> str:
    """What came over the bus and was no event: kept as it came, and told without its content."""
    answers = desk.of_each("rejected")
    rows = [
        {**row, "service": service, "key": f"{service}-{row['id']}"}
        for service, found in answers.items()
        for row in reversed(found or [])
    ]
    columns = (
        Column("service", _("服务"), words=words.service),
        Column("id", _("序号"), "number"),
        Column("received_at", _("时间"), "time"),
        Column("origin", _("来源"), "code"),
        Column("bytes", _("字节"), "number"),
        Column("reason", _("原因")),
    )
    table = Table(columns, rows, "key", empty=_("没有拒收的内容。"))
    return render_template("list.html", title=_("拒收内容"), table=table, about=_silent(answers))


def _place(row: Row, view: str) -> str:
    source = row["source"].strip("/").replace("/", "~")
    return url_for(
        f"console.operating_{view}",
        service=row["service"],
        consumer=row["consumer"],
        source=source,
        position=row["position"],
    )


_PATH = "/parked/<service>/<consumer>/<source>/<int:position>"


def _asked(consumer: str, source: str, position: int) -> dict[str, Any]:
    return {"consumer": consumer, "source": "/" + source.replace("~", "/"), "position": position}


@room.page(_PATH, roles=OPERATORS, listed=False)
def one(desk: Desk, service: str, **place: Any) -> str:
    found = desk.ask(service, "show_parked", **_asked(**place))
    at = {"service": service, **place}
    why = Field("why", _("理由"))
    data = json.dumps(found["repaired"] or found["event"]["data"], ensure_ascii=False, indent=2)
    forms = [
        Form((Field("data", _("修复后的内容"), "lines", value=data), why), _("修复"), _to("repair", at)),
        Form((), _("重放"), _to("replay", at)),
        Form((why,), _("跳过"), _to("skip", at), weight="grave"),
    ]
    return render_template(
        "parked.html", title=_("搁置事件"), found=found, forms=[form.fresh() for form in forms]
    )


def _to(view: str, at: dict[str, Any]) -> str:
    return url_for(f"console.operating_{view}", **at)


@room.action(_PATH + "/repair", roles=OPERATORS)
def repair(desk: Desk, service: str, **place: Any) -> Any:
    given = {"data": " ".join(request.form["data"].split("\r\n")), "why": request.form["why"]}
    back = _to("one", {"service": service, **place})
    return act(
        lambda: desk.ask(service, "repair_parked", **_asked(**place), **given),
        back,
        _("已修复；请重放。"),
    )


@room.action(_PATH + "/replay", roles=OPERATORS)
def replay(desk: Desk, service: str, **place: Any) -> Any:
    back = url_for("console.operating_parked")
    return act(lambda: desk.ask(service, "replay_parked", **_asked(**place)), back, _("已重放。"))


@room.action(_PATH + "/skip", roles=OPERATORS, grave=lambda **_: _l("跳过搁置事件"))
def skip(desk: Desk, service: str, **place: Any) -> Any:
    back = url_for("console.operating_parked")
    why = request.form["why"]
    return act(lambda: desk.ask(service, "skip_parked", why=why, **_asked(**place)), back, _("已跳过。"))


# -- projections


@room.page(
    "/projections",
    _l("视图重建"),
    roles=OPERATORS,
    asks=[*_ASKS, *((service, "projections") for service in SERVICES)],
)
def projections(desk: Desk) -> str:
    standings, answers = desk.of_each("standing"), desk.of_each("projections")
    rows = [
        {**each, "service": service, "key": f"{service}-{each['projection']}"}
        for service, found in answers.items()
        for each in found or []
    ]
    growing = [
        _growing(row["service"], row, found)
        for row in rows
        if row["building"] and (found := standings[row["service"]])
    ]
    columns = (
        Column("service", _("服务"), words=words.service),
        Column("projection", _("视图"), "code"),
        Column("live", _("现用版本"), "number"),
        Column("building", _("在建版本"), "number"),
    )
    building = Button(
        _("重建"),
        lambda row: url_for("console.operating_build", service=row["service"], projection=row["projection"]),
        only=lambda row: not row["building"],
    )
    table = Table(columns, rows, "key", buttons=(building,))
    return render_template(
        "projections.html", title=_("视图重建"), table=table, growing=growing, silent=_silent(answers)
    )


def _growing(service: str, each: Row, found: Row) -> Progress:
    name = f"{each['projection']}@{each['building']}"
    done = sum(row["position"] for row in found["consumers"] if row["consumer"] == name)
    return Progress(
        f"{words.service(service)} {name}",
        done,
        found["log"]["head"],
        running=True,
        poll=url_for("console.operating_projections"),
    )


@room.action("/projections/<service>/<projection>", roles=OPERATORS)
def build(desk: Desk, service: str, projection: str) -> Any:
    back = url_for("console.operating_projections")
    return act(lambda: desk.ask(service, "rebuild", projection=projection), back, _("重建已开始。"))


@room.page("/witnesses", _l("见证"), roles=OPERATORS, asks=[("audit", "witnesses")])
def witnesses(desk: Desk) -> str:
    found = desk.ask("audit", "witnesses")
    columns = (
        Column("name", _("见证方"), "code"),
        Column("size", _("已见证到"), "number"),
        Column("when", _("时间"), "time"),
    )
    rows = [{**row, "when": _seconds(row["time"])} for row in found["witnesses"]]
    table = Table(columns, rows, "name", empty=_("还没有见证签名。"))
    return render_template("witnesses.html", title=_("见证"), found=found, table=table)


def _seconds(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat()
