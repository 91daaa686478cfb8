"""提交申请, for somebody new or for one who is enrolled: a person has one id, however often he applies."""

import base64
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.gateway.console import words
from services.gateway.console.desk import Desk, Row
from services.gateway.console.pages import station
from services.gateway.console.parts.form import Field, Form, serve, subject
from shared.kernel.actors import Role

room = station.room
Batches = dict[str, Row]


@room.page(
    "/station/applications/new",
    _l("新申请"),
    roles={Role.EXAM_AFFAIRS},
    asks=[("registration", "submit_application"), ("registration", "enrol_person")],
    methods=("GET", "POST"),
)
def new(desk: Desk) -> Any:
    """人员建档 and 提交申请 with one form; identity goes to registration's vault and nowhere else.

    Whoever is enrolled already is known again by his document, and applies under the id that he has.
    """
    fields = (
        Field("name", _("姓名")),
        Field("document", _("证件类型"), "choice", words.options("document"), value="resident_id"),
        Field("number", _("证件号码"), hint=_("只存入加密的身份库，不进入任何事件；已建档的人凭证件认出。")),
    )
    return _served(desk, fields, {}, lambda values: _person(desk, values), title=_("新申请"))


@room.page(
    "/station/applications/<uuid:id>/again",
    roles={Role.EXAM_AFFAIRS},
    listed=False,
    methods=("GET", "POST"),
)
def again(desk: Desk, id: Any) -> Any:
    """The same person once more: after a failed exam the same level, after a passed one the next."""
    before = desk.ask("registration", "application", application=str(id))
    if before is None:
        return redirect(url_for("console.station_application", id=id))
    level, outcome = before["level"], before["outcome"]
    usual = {"occupation": before["occupation"], "level": level}
    if outcome == "passed":
        usual |= {"level": max(1, level - 1), "held_level": level}
    about = _(
        "考生 …%(person)s；上次申请：%(level)s，%(outcome)s。",
        person=before["candidate"][-8:],
        level=words.level(level),
        outcome=words.state(outcome or before["status"]),
    )
    title = _("再次申请：%(occupation)s", occupation=before["occupation"])
    return _served(desk, (), usual, lambda _values: str(before["candidate"]), title=title, about=about)


def _served(
    desk: Desk, identity: tuple[Field, ...], usual: Row, person: Callable[[Row], str], **context: Any
) -> Any:
    """The form; `person(values)` says whose application it is, once it is sent."""
    found = desk.ask("scheduling", "latest_batches", station=desk.me.station, limit=50)
    batches = {batch["batch"]: batch for batch in found if batch["stage"] == "applied"}
    form = Form((_batch(batches, usual), *identity, *_terms(usual)), _("提交申请"))

    def send(values: dict[str, Any]) -> str:
        return _submit(desk, person(values), batches[values["batch"]], values)

    return serve(form, send, done=_("申请已提交。"), **context)


def _batch(batches: Batches, usual: Row) -> Field:
    hint = "" if batches else _("没有可报名的批次；先由所长申请批次。")
    of_the_trade = (id for id, batch in batches.items() if batch["occupation"] == usual.get("occupation"))
    value = request.args.get("batch") or next(of_the_trade, "")
    options = [station.choice(batch) for batch in batches.values()]
    return Field("batch", _("批次"), "choice", options, hint=hint, value=value)


def _terms(usual: Row) -> tuple[Field, ...]:
    held = usual.get("held_level", 0)
    return (
        Field("photo", _("证件照"), "file", hint=_("不超过 200 kB；退回后须重新选择。")),
        Field("level", _("申报等级"), "choice", station.LEVELS, value=usual.get("level", 4)),
        Field("kind", _("类别"), "choice", words.options("kind"), value="student"),
        Field("education", _("学历"), "choice", words.options("education"), value="vocational_school"),
        Field("held_level", _("已持等级"), "number", value=held, least=0, most=5, hint=_("没有填 0。")),
        Field("years_in_trade", _("从业年限"), "number", value=0, least=0, most=60),
    )


def _person(desk: Desk, values: Row) -> str:
    """The id of whoever holds the document; he is enrolled with it, unless he is known."""
    identity = {name: values[name] for name in ("name", "document", "number")}
    known = desk.ask("registration", "enrolled_as", **identity)
    if known:
        if known[0]["candidate"] != subject():
            flash(_("此人已建档，沿用原考生编号。"), "done")
        return str(known[0]["candidate"])
    photo = base64.b64encode(values["photo"]).decode()
    # whoever sends the form twice means one person
    desk.send("registration", "enrol_person", step="person", candidate=subject(), photo=photo, **identity)
    return subject()


def _submit(desk: Desk, candidate: str, batch: Row, values: Row) -> str:
    application = subject()
    terms = {name: values[name] for name in ("level", "kind", "education", "held_level", "years_in_trade")}
    desk.send(
        "registration",
        "submit_application",
        application=application,
        candidate=candidate,
        batch=batch["batch"],
        station=desk.me.station,
        occupation=batch["occupation"],
        catalogue=batch["catalogue"],
        evidence=[sha256(values["photo"]).hexdigest()],
        seen=lambda: desk.ask("registration", "application", application=application),
        **terms,
    )
    return url_for("console.station_application", id=application)
