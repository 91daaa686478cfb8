"""考评员 as the centre and its supervisors see them: who is appointed, and what each is assigned to."""

from collections.abc import Sequence
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.gateway.console import words
from services.gateway.console.desk import PAGE, Desk, Row
from services.gateway.console.pages import centre
from services.gateway.console.parts.form import Field
from services.gateway.console.parts.table import Column, paged
from shared.kernel.actors import Role

room = centre.room

READERS = frozenset({Role.CENTRE_OFFICER, Role.SUPERVISOR})


@room.page(
    "/centre/examiners",
    _l("考评员"),
    roles=READERS,
    asks=[("registration", "examiners"), ("scheduling", "latest_assignments")],
)
def examiners(desk: Desk) -> str:
    """Everybody who is appointed as an examiner, with what he was assigned to last."""
    asked = {name: request.args.get(name, "").strip() for name in ("station", "text")}
    found = desk.rows("registration", "examiners", **{name: text for name, text in asked.items() if text})
    known = [row["account"] for row in found[:PAGE]]
    last = desk.ask("scheduling", "latest_assignments", examiners=known) if known else []
    of_each = {row["examiner"]: row for row in last}
    rows = [{**of_each.get(row["account"], {}), **row} for row in found]
    columns = (
        Column("account", _("考评员"), "id", _of_examiner),
        Column("name_shown", _("登录名"), link=_of_examiner),
        Column("bodies", _("任职"), words=_bodies),
        Column("batch", _("最近委派"), "id", lambda row: url_for("console.batches_one", id=row["batch"])),
        Column("station", _("鉴定所")),
        Column("occupation", _("职业")),
        Column("theory_at", _("理论考试"), "time"),
        Column("stage", _("进度"), "status"),
    )
    filters = [
        Field("station", _("任职鉴定所"), value=asked["station"], required=False),
        Field("text", _("登录名或编号"), value=asked["text"], required=False),
    ]
    empty = _("没有这样的考评员；由系统管理员在账户中任职。")
    table = paged(columns, rows, "account", empty=empty)
    return render_template("list.html", title=_("考评员"), table=table, filters=filters)


def _of_examiner(row: Row) -> str:
    return url_for("console.centre_examiner", id=row["account"])


def _bodies(held: Sequence[str]) -> str:
    return "; ".join(map(words.body, held))


@room.page("/centre/examiners/<uuid:id>", roles=READERS, listed=False)
def examiner(desk: Desk, id: Any) -> str:
    """All batches that one of them is assigned to, newest first."""
    rows = desk.ask("registration", "examiners", text=str(id), limit=1)
    table = paged(columns_of_assignments(), desk.rows("scheduling", "assignments", examiner=str(id)), "batch")
    tools = []
    if desk.me.role is Role.SUPERVISOR:
        tools = [(_("全程记录"), url_for("console.supervision_trail", kind="examiner", id=id))]
    name = rows[0]["name_shown"] if rows else f"…{str(id)[-8:]}"
    about = _("任职：%(bodies)s", bodies=_bodies(rows[0]["bodies"])) if rows else _("现无考评员任职。")
    title = _("考评员 %(name)s", name=name)
    return render_template("list.html", title=title, table=table, tools=tools, about=about)


def columns_of_assignments(*, linked: bool = True) -> tuple[Column, ...]:
    """How assignments are shown; an examiner himself may not open the batch."""
    return (
        Column("batch", _("批次"), "id", _of_batch if linked else None),
        Column("station", _("鉴定所")),
        Column("occupation", _("职业")),
        Column("levels", _("等级"), words=words.levels),
        Column("parts", _("科目"), words=lambda parts: words.listed(map(words.state, parts))),
        Column("head", _("组长"), "truth"),
        Column("theory_at", _("理论考试"), "time"),
        Column("practical_at", _("实操考试"), "time"),
        Column("stage", _("进度"), "status"),
    )


def _of_batch(row: Row) -> str:
    return url_for("console.batches_one", id=row["batch"])
