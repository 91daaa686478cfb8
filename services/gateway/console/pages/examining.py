"""The examiner: his own sheets under blind codes, scores by keyboard, each signed by this device's key."""

from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.gateway.console import words
from services.gateway.console.desk import Desk
from services.gateway.console.frame import Room
from services.gateway.console.pages.examiners import columns_of_assignments
from services.gateway.console.parts.form import Field, Form, act, serve
from services.gateway.console.parts.table import Column, paged
from shared.kernel.actors import Role

room = Room("examining", _l("评分"))

EXAMINERS = frozenset({Role.EXAMINER})


@room.page(
    "/examining",
    _l("我的评分"),
    roles=EXAMINERS,
    asks=[("scoring", "desk")],
    waiting=lambda desk: desk.rows("scoring", "desk", examiner=desk.me.actor, status="open"),
)
def open_sheets(desk: Desk) -> str:
    """Sheets without a score, to be filled in from the first to the last."""
    found = desk.rows("scoring", "desk", examiner=desk.me.actor, status="open")
    key = desk.ask("scoring", "signing_key", examiner=desk.me.actor)
    return render_template(
        "examining.html",
        title=_("我的评分"),
        sheets=paged((), found, "sheet"),
        key=key["public_key"] if key else "",
        signer=desk.me.actor,
    )


@room.action("/examining/<sheet>/score", roles=EXAMINERS)
def score(desk: Desk, sheet: str) -> Any:
    fields = Form(
        (
            Field("score", _("成绩"), "number", least=0, most=100),
            Field("sheet_digest", _("评分表摘要")),
            Field("signature", _("签名"), required=False),
        ),
        "",
    )

    def scored() -> bool:
        rows = desk.ask("scoring", "desk", examiner=desk.me.actor, status="open", limit=500)
        return all(row["sheet"] != sheet for row in rows)

    def send() -> None:
        values = {name: value for name, value in fields.values().items() if value != ""}
        desk.send("scoring", "submit_score", sheet=sheet, seen=scored, **values)

    return act(send, url_for("console.examining_open_sheets"), _("成绩已提交。"))


@room.action("/examining/key", roles=EXAMINERS)
def key(desk: Desk) -> Any:
    """This device's key becomes the one that speaks for the examiner."""
    public = request.form.get("public_key", "")

    def known() -> bool:
        found = desk.ask("scoring", "signing_key", examiner=desk.me.actor)
        return bool(found and found["public_key"] == public)

    def send() -> None:
        desk.send("scoring", "register_signing_key", signer=desk.me.actor, public_key=public, seen=known)

    return act(send, url_for("console.examining_open_sheets"), _("本设备的签名密钥已登记。"))


@room.page("/examining/done", _l("已评分"), roles=EXAMINERS, asks=[("scoring", "desk")])
def done(desk: Desk) -> str:
    found = desk.rows("scoring", "desk", examiner=desk.me.actor, status="marked")
    columns = (
        Column("blind_code", _("盲码"), "code"),
        Column("part", _("科目"), words=words.state),
        Column("status", _("状态"), "status"),
        Column("signed", _("已签名"), "truth"),
        Column(
            "sheet",
            _("更正"),
            link=lambda row: url_for("console.examining_correct", sheet=row["sheet"]),
            words=lambda _sheet: _("申请更正"),
        ),
    )
    return render_template("list.html", title=_("已评分"), table=paged(columns, found, "sheet"))


@room.page("/examining/assignments", _l("我的委派"), roles=EXAMINERS, asks=[("scheduling", "assignments")])
def assignments(desk: Desk) -> str:
    """When and where, before anybody is there (R067)."""
    found = desk.rows("scheduling", "assignments", examiner=desk.me.actor)
    table = paged(columns_of_assignments(linked=False), found, "batch", empty=_("没有委派。"))
    return render_template("list.html", title=_("我的委派"), table=table)


@room.page("/examining/<sheet>/correct", roles=EXAMINERS, listed=False, methods=("GET", "POST"))
def correct(desk: Desk, sheet: str) -> Any:
    form = Form(
        (
            Field("new", _("更正后的成绩"), "number", least=0, most=100),
            Field("reason", _("理由")),
        ),
        _("申请更正"),
    )

    def send(values: dict[str, Any]) -> str:
        desk.send("scoring", "propose_correction", sheet=sheet, **values)
        return url_for("console.examining_done")

    about = _("更正须由另一人批准后才生效；原成绩永久保留。")
    return serve(form, send, done=_("更正申请已提交。"), title=sheet, about=about)
