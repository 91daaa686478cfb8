"""What the centre does next with a batch: the notice, the papers, the examiners, its end."""

from typing import Any

from flask import url_for
from flask_babel import gettext as _

from services.gateway.console import words
from services.gateway.console.desk import Desk, Row
from services.gateway.console.parts.form import Field, Form
from shared.kernel.actors import Role
from shared.kernel.ids import new_id

_OFFERED = 500  # examiners from whom to choose; any other one by his id


def steps(desk: Desk, found: Row) -> list[Form]:
    """What somebody of the centre may do with a batch at its stage."""
    role = desk.me.role
    to = {"id": found["batch"]}
    if role is Role.CENTRE_OFFICER and found["stage"] == "applied":
        return [
            Form(
                (Field("notice", _("通知书号")),), _("下达任务通知书"), url_for("console.centre_notice", **to)
            )
        ]
    if role is Role.PAPER_CUSTODIAN and found["stage"] == "noticed":
        papers = Field(
            "papers",
            _("试题编号"),
            "lines",
            value="\n".join(new_id() for _place in range(8)),
            hint=_("每行一个试题的编号；只有编号，没有题目内容。"),
        )
        return [Form((papers,), _("封存题池"), url_for("console.centre_seal", **to))]
    if role is Role.CENTRE_OFFICER and found["stage"] in ("noticed", "supplied"):
        return [_assignment(desk, to)]
    if role is Role.CENTRE_OFFICER and found["stage"] == "seated":
        return [Form((), _("关闭批次"), url_for("console.centre_close", **to), weight="grave")]
    return []


def _assignment(desk: Desk, to: dict[str, Any]) -> Form:
    known = desk.tried("registration", "examiners", limit=_OFFERED) or []
    offered = [(row["account"], f"{row['name_shown']} · {_bodies(row)}") for row in known]
    parts = [("theory", words.state("theory")), ("practical", words.state("practical"))]
    return Form(
        (
            Field("examiner", _("考评员编号"), options=offered, hint=_("从名单中选择，或填写编号。")),
            Field("part", _("科目"), "choice", parts),
            Field("head", _("组长"), "truth", required=False),
        ),
        _("委派考评员"),
        url_for("console.centre_assign", **to),
    )


def _bodies(row: Row) -> str:
    return "; ".join(map(words.body, row["bodies"]))
