"""Certificates: approved at the centre once the chain of evidence is whole; the register of a batch."""

from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.gateway.console import words
from services.gateway.console.desk import Desk, Row
from services.gateway.console.frame import Room
from services.gateway.console.pages import choosing
from services.gateway.console.parts.form import act
from services.gateway.console.parts.progress import Steps
from services.gateway.console.parts.table import Button, Column, paged
from shared.kernel.actors import Role

room = Room("certificates", _l("证书"))

READERS = frozenset({Role.CERTIFICATE_PROCESSOR, Role.CENTRE_OFFICER, Role.SUPERVISOR})


def _unapproved(desk: Desk) -> list[Row] | None:
    processes = desk.me.role is Role.CERTIFICATE_PROCESSOR
    return desk.rows("certification", "waiting") if processes else None


@room.page(
    "/certificates/waiting",
    _l("待发证"),
    roles=READERS,
    asks=[("certification", "waiting")],
    waiting=_unapproved,
)
def waiting(desk: Desk) -> str:
    found = desk.rows("certification", "waiting")
    columns = (
        Column("application", _("申请"), "id", _dossier),
        Column("batch", _("批次"), "id"),
        Column("station", _("鉴定所")),
        Column("occupation", _("职业")),
        Column("level", _("等级"), words=words.level),
        Column("links", _("证据链"), words=lambda links: " → ".join(map(words.link, links))),
    )
    buttons = [_approving()] if desk.me.role is Role.CERTIFICATE_PROCESSOR else []
    table = paged(columns, found, "application", buttons=buttons, empty=_("没有待发证的档案。"))
    return render_template("list.html", title=_("待发证"), table=table)


def _approving() -> Button:
    return Button(
        _("审核发证"),
        lambda row: url_for("console.certificates_approve", id=row["application"]),
        weight="main",
    )


def _dossier(row: Row) -> str:
    return url_for("console.certificates_one", id=row["application"])


@room.page("/certificates/<uuid:id>", roles=READERS, listed=False, asks=[("certification", "dossier")])
def one(desk: Desk, id: Any) -> str:
    """证书档案: which links of the chain of evidence there are, and which are missing (R132)."""
    found = desk.ask("certification", "dossier", application=str(id))
    steps = (
        Steps([(words.link(link), None, link in found["links"]) for link in words.LINKS]) if found else None
    )
    approves = found and found["passed"] and found["status"] == "open"
    button = _approving() if approves and desk.me.role is Role.CERTIFICATE_PROCESSOR else None
    return render_template("dossier.html", title=_("证书档案"), found=found, steps=steps, button=button)


@room.action("/certificates/<uuid:id>/approve", roles={Role.CERTIFICATE_PROCESSOR})
def approve(desk: Desk, id: Any) -> Any:
    def gone() -> bool:
        found = desk.ask("certification", "waiting", limit=50)
        return all(row["application"] != str(id) for row in found)

    back = url_for("console.certificates_waiting")
    return act(
        lambda: desk.send("certification", "approve_certificate", dossier=str(id), seen=gone),
        back,
        _("证书已审核，编号自动分配。"),
    )


@room.page("/certificates", _l("发放登记"), roles=READERS, asks=[("certification", "certificates")])
def register(desk: Desk) -> str:
    batch = request.args.get("batch", "").strip()
    found = desk.rows("certification", "certificates", batch=batch) if batch else []
    columns = (
        Column("number", _("证书编号"), "code"),
        Column("occupation", _("职业")),
        Column("level", _("等级"), words=words.level),
        Column("theory", _("理论"), "number"),
        Column("practical", _("实操"), "number"),
        Column("application", _("申请"), "id", _dossier),
        Column("evidence_digest", _("证据摘要"), "digest"),
    )
    filters = [choosing.batch(desk, batch)]
    table = paged(columns, found, "number", empty=_("请填写批次编号。") if not batch else "")
    return render_template("list.html", title=_("发放登记"), table=table, filters=filters)
