"""For everybody: whether a certificate is genuine, by its number and the name on it, or by its QR code."""

from typing import Any

from flask import render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.gateway.console.desk import Desk
from services.gateway.console.frame import Room
from services.gateway.console.parts.code import code
from services.gateway.console.parts.form import Field, Form
from services.gateway.pace import seldom
from shared.bus.calls import Refused

room = Room("public", _l("公众"))


@room.page("/check", _l("证书核验"), methods=("GET", "POST"))
def check(desk: Desk) -> Any:
    """A QR code leads here with the number filled in; the name is on the certificate in his hands."""
    number = request.values.get("number", "").strip()
    form = Form(
        (
            Field("number", _("证书编号"), value=number),
            Field("name", _("姓名"), autocomplete="name"),
        ),
        _("核验"),
    )
    if request.method == "GET":
        return render_template("check.html", title=_("证书核验"), form=form.fresh())
    try:
        seldom("check")
        values = form.values()
        found = desk.call("certification", "check", values, {"address": request.remote_addr or ""})
    except Refused as refused:
        return render_template("check.html", title=_("证书核验"), form=form.again(refused.problem)), 422
    return render_template(
        "check.html",
        title=_("证书核验"),
        form=form.fresh(number=number),
        found=found,
        code=code(number) if found["genuine"] else "",
        asked=True,
    )
