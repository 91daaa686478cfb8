"""Training before an exam: its trainer records who was trained, and for how many hours (R198)."""

from collections.abc import Callable
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.gateway.console import words
from services.gateway.console.desk import PAGE, Desk, Row
from services.gateway.console.frame import Room
from services.gateway.console.pages import batches
from services.gateway.console.parts.form import Field, Form, serve, subject
from services.gateway.console.parts.table import Column, paged
from shared.kernel.actors import Role

room = Room("training", _l("培训"))

TRAINERS = frozenset({Role.TRAINER})
READERS = TRAINERS | {Role.STATION_DIRECTOR, Role.CENTRE_OFFICER, Role.SUPERVISOR}
_TRAINEES = 500  # of one batch


@room.page("/training", _l("考前培训"), roles=TRAINERS, asks=[("scheduling", "latest_batches")])
def all_(desk: Desk) -> str:
    """The station's batches, newest first; each leads to the form in which its training is recorded."""
    found = desk.rows("scheduling", "latest_batches", station=desk.me.station)
    record = Column("batch", _("培训"), link=_record, words=lambda _batch: _("登记培训"))
    _id, *told = batches.columns()
    table = paged((record, *told), found, "batch", empty=_("本所还没有批次；由所长申请批次后再登记培训。"))
    return render_template("list.html", title=_("考前培训"), table=table)


def _record(row: Row) -> str:
    return url_for("console.training_record", batch=row["batch"])


@room.page("/training/<uuid:batch>", roles=TRAINERS, listed=False, methods=("GET", "POST"))
def record(desk: Desk, batch: Any) -> Any:
    """培训登记: of those on the roster, whoever was there."""
    found = desk.ask("scheduling", "batch", batch=str(batch))
    if found is None or found["station"] != desk.me.station:
        return redirect(url_for("console.training_all_"))
    roster = desk.ask("registration", "roster", batch=str(batch), limit=_TRAINEES)
    people = [row for row in roster if row["status"] not in ("rejected", "withdrawn")]
    options = [(row["candidate"], f"…{row['candidate'][-8:]} {words.level(row['level'])}") for row in people]
    form = Form(
        (
            Field("trainees", _("学员"), "many", options, value=[row["candidate"] for row in people]),
            Field("hours", _("学时"), "number", value=8, least=1, most=2000),
        ),
        _("登记培训"),
    )

    def send(values: dict[str, Any]) -> str:
        told = {name: found[name] for name in ("batch", "station", "occupation")}
        training = subject()

        def listed() -> bool:
            newest = desk.ask("registration", "trainings", limit=PAGE)
            return any(row["training"] == training for row in newest)

        desk.send("registration", "record_training", training=training, seen=listed, **told, **values)
        return url_for("console.training_held")

    about = (
        _("登记后，本人在该批次不得再任考评员或监考。")
        if people
        else _("还没有人报名；有人报名后再登记培训。")
    )
    title = _("培训登记：%(occupation)s", occupation=found["occupation"])
    return serve(form, send, done=_("培训已登记。"), title=title, about=about)


@room.page("/training/held", _l("培训记录"), roles=READERS, asks=[("registration", "trainings")])
def held(desk: Desk) -> str:
    """What was held, newest first: at one's own station, or at all of them."""
    station = desk.me.station or request.args.get("station", "").strip()
    found = desk.rows("registration", "trainings", **({"station": station} if station else {}))
    columns = (
        Column("held_at", _("时间"), "time"),
        Column("station", _("鉴定所")),
        Column("batch", _("批次"), "id"),
        Column("occupation", _("职业")),
        Column("trainer", _("教师"), "id", _trail_of(desk)),
        Column("trainees", _("学员"), "number"),
        Column("hours", _("学时"), "number"),
    )
    filters = [] if desk.me.station else [Field("station", _("鉴定所"), value=station, required=False)]
    table = paged(columns, found, "training", empty=_("还没有培训记录。"))
    return render_template("list.html", title=_("培训记录"), table=table, filters=filters)


def _trail_of(desk: Desk) -> Callable[[Row], str] | None:
    if desk.me.role is not Role.SUPERVISOR:
        return None
    return lambda row: url_for("console.supervision_trail", kind="actor", id=row["trainer"])
