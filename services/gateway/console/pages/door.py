"""Coming in: logging in, choosing an appointment, the language, the first page."""

from typing import Any

from flask import current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.gateway.console import language
from services.gateway.console.desk import Desk
from services.gateway.console.frame import Room
from services.gateway.console.parts.form import Field, Form, act, inside
from services.gateway.console.session import enter
from services.gateway.pace import seldom
from shared.bus.calls import Refused
from shared.kernel.actors import Role

room = Room("door", _l("首页"))

PEOPLE = frozenset(Role) - {Role.SERVICE}
_FORM = Form(
    (
        Field("name", _l("登录名"), autocomplete="username"),
        Field("password", _l("密码"), "password", autocomplete="current-password"),
    ),
    _l("登录"),
)


@room.page("/", _l("工作台"), roles=PEOPLE)
def home(_desk: Desk) -> str:
    return render_template("home.html")


@room.page("/login", listed=False, methods=("GET", "POST"))
def login(desk: Desk) -> Any:
    form = _FORM.fresh()
    if request.method == "POST":
        try:
            enter(_logged_in(desk))
        except Refused as refused:
            return render_template("login.html", form=_FORM.again(refused.problem), logins=_logins()), 422
        return redirect(inside(request.args.get("next", "")), 303)
    return render_template("login.html", form=form, logins=_logins())


def _logged_in(desk: Desk) -> Any:
    seldom("login")
    values = _FORM.values()
    return desk.call("registration", "login", values, {"address": request.remote_addr or ""})


@room.page("/logout", listed=False, methods=("POST",))
def logout(_desk: Desk) -> Any:
    current_app.extensions["jianding.renewals"].leave()
    return redirect(url_for("console.door_login"), 303)


@room.action("/appointment", roles=PEOPLE)
def switch(_desk: Desk) -> Any:
    renewals = current_app.extensions["jianding.renewals"]
    back = url_for("console.door_home")
    return act(lambda: renewals.change(request.form["appointment"]), back, _("已切换任职。"))


@room.page("/language", listed=False, methods=("POST",))
def choose(_desk: Desk) -> Any:
    answer = redirect(inside(request.form.get("back", "")), 303)
    wanted = request.form.get("language", "zh")
    answer.set_cookie(language.COOKIE, wanted, max_age=31_536_000, httponly=True, samesite="Lax")
    return answer


def _logins() -> list[Any]:
    return list(current_app.extensions["jianding.logins"]())
