"""Accounts: the administrator opens, appoints and closes; everybody changes his own password."""

from typing import Any

from flask import current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from services.gateway.console import words
from services.gateway.console.desk import Desk, Row
from services.gateway.console.frame import Room
from services.gateway.console.pages.door import PEOPLE
from services.gateway.console.parts.form import Field, Form, act, serve, subject
from services.gateway.console.parts.table import Column, paged
from shared.bus.calls import Refused
from shared.kernel.actors import Role
from shared.kernel.errors import DomainError

room = Room("accounts", _l("账户"))

OPENERS = frozenset({Role.ADMINISTRATOR})


@room.page("/accounts", _l("账户"), roles=OPENERS, asks=[("registration", "list_accounts")])
def all_(desk: Desk) -> str:
    found = desk.rows("registration", "list_accounts")
    columns = (
        Column("account", _("账户"), "id", lambda row: url_for("console.accounts_one", id=row["account"])),
        Column("name", _("登录名")),
        Column("appointments", _("任职"), words=_appointments),
        Column("open", _("可登录"), "truth"),
        Column("locked_until", _("锁定至"), "time"),
    )
    tools = [(_("开户"), url_for("console.accounts_new"))]
    return render_template("list.html", title=_("账户"), table=paged(columns, found, "account"), tools=tools)


def _appointments(held: list[str]) -> str:
    return "; ".join(words.appointment(each) for each in held)


@room.page(
    "/accounts/new",
    _l("开户"),
    roles=OPENERS,
    asks=[("registration", "open_account")],
    methods=("GET", "POST"),
)
def new(desk: Desk) -> Any:
    form = Form(
        (
            Field("name", _("登录名")),
            Field("password", _("初始密码"), "password", hint=_("由本人首次登录后更改。")),
            *_role_and_body(),
            Field(
                "candidate",
                _("考生编号"),
                required=False,
                hint=_("仅考生账户填写，见其申请页；考生以此编号登录，才看得到自己的申请。"),
            ),
        ),
        _("开户"),
    )

    def send(values: dict[str, Any]) -> str:
        appointment = {"role": values.pop("role"), "body": values.pop("body")}
        account = _holder(desk, appointment["role"], values.pop("candidate"))
        desk.send(
            "registration",
            "open_account",
            account=account,
            appointments=[appointment],
            seen=lambda: _found(desk, account),
            **values,
        )
        return url_for("console.accounts_one", id=account)

    return serve(form, send, done=_("账户已开通。"), title=_("开户"))


class CandidateWanted(DomainError):
    """考生账户须填写已申请考生的编号，其他账户不填；请从其申请页抄录完整编号。

    A candidate's account needs the id of a candidate who has applied, and no other account has one; copy the
    whole id from his application.
    """

    field = "candidate"


def _holder(desk: Desk, role: str, candidate: str) -> str:
    """Under which id the account's holder acts: a candidate under his own, or he would see nothing of his."""
    if role != Role.CANDIDATE and not candidate:
        return subject()
    if role != Role.CANDIDATE or not _is_candidate(desk, candidate):
        raise Refused.of(CandidateWanted())
    return candidate


def _is_candidate(desk: Desk, id: str) -> bool:
    return bool(id and desk.tried("registration", "own_applications", candidate=id))


def _role_and_body(*without: Role) -> tuple[Field, ...]:
    kept = set(Role) - {Role.SERVICE, *without}
    roles = [(role.value, words.role(role)) for role in Role if role in kept]
    hint = _("centre 为指导中心；鉴定所写 station- 加八位代码。")
    return Field("role", _("角色"), "choice", roles), Field("body", _("机构"), value="centre", hint=hint)


def _found(desk: Desk, account: str) -> Row | None:
    """One account: the page of the list that begins with it."""
    before = f"{int(account.replace('-', ''), 16) - 1:032x}"
    rows = desk.ask("registration", "list_accounts", after=_spelled(before), limit=1)
    return next((row for row in rows if row["account"] == account), None)


def _spelled(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


@room.page("/accounts/<uuid:id>", roles=OPENERS, listed=False)
def one(desk: Desk, id: Any) -> Any:
    found = _found(desk, str(id))
    if found is None:
        return redirect(url_for("console.accounts_all_"))
    # an account that is no candidate's own would see no application with that role
    without = () if _is_candidate(desk, str(id)) else (Role.CANDIDATE,)
    forms = [form.fresh() for form in _forms(found, without)] if found["open"] else []
    return render_template("account.html", title=_("账户"), found=found, held=_appointments, forms=forms)


def _forms(found: Row, without: tuple[Role, ...]) -> list[Form]:
    """What the administrator may do with an account that is open."""
    at = {"id": found["account"]}
    held = [(each, words.appointment(each)) for each in found["appointments"]]
    ending = Form(
        (Field("appointment", _("任职"), "choice", held),),
        _("免职"),
        url_for("console.accounts_end", **at),
        weight="grave",
    )
    return [
        Form(_role_and_body(*without), _("任职"), url_for("console.accounts_appoint", **at)),
        *([ending] if held else []),
        Form(
            (Field("password", _("新密码"), "password", autocomplete="new-password"),),
            _("重设密码"),
            url_for("console.accounts_reset", **at),
        ),
        Form(
            (Field("issuer", _("身份提供方")), Field("subject", _("其中的用户标识"))),
            _("绑定统一身份"),
            url_for("console.accounts_link", **at),
        ),
        Form((), _("销户"), url_for("console.accounts_close", **at), weight="grave"),
    ]


def _change(desk: Desk, id: Any, method: str, done: str, **message: Any) -> Any:
    """One command about an account, shown on its page once the list knows it."""
    before = _found(desk, str(id))

    def changed() -> bool:
        return _found(desk, str(id)) != before

    listed = method in ("appoint", "end_appointment", "close_account")

    def send() -> None:
        seen = changed if listed else None
        desk.send("registration", method, account=str(id), seen=seen, **message)

    return act(send, url_for("console.accounts_one", id=id), done)


def _given(*names: str) -> dict[str, str]:
    return {name: request.form.get(name, "").strip() for name in names}


@room.action("/accounts/<uuid:id>/appoint", roles=OPENERS)
def appoint(desk: Desk, id: Any) -> Any:
    return _change(desk, id, "appoint", _("任职已登记。"), **_given("role", "body"))


@room.action("/accounts/<uuid:id>/end", roles=OPENERS, grave=lambda **_: _l("免职"))
def end(desk: Desk, id: Any) -> Any:
    role, _at, body = request.form.get("appointment", "").partition("@")
    return _change(desk, id, "end_appointment", _("任职已终止。"), role=role, body=body)


@room.action("/accounts/<uuid:id>/password", roles=OPENERS)
def reset(desk: Desk, id: Any) -> Any:
    password = request.form.get("password", "")
    return _change(desk, id, "change_password", _("密码已重设；该账户的会话均已结束。"), password=password)


@room.action("/accounts/<uuid:id>/link", roles=OPENERS)
def link(desk: Desk, id: Any) -> Any:
    return _change(desk, id, "link_login", _("统一身份已绑定。"), **_given("issuer", "subject"))


@room.action("/accounts/<uuid:id>/close", roles=OPENERS, grave=lambda **_: _l("销户"))
def close(desk: Desk, id: Any) -> Any:
    return _change(desk, id, "close_account", _("账户已关闭。"))


@room.page("/password", roles=PEOPLE, listed=False, methods=("GET", "POST"))
def password(desk: Desk) -> Any:
    """One's own; every session of the account ends with it, this one too."""
    form = Form(
        (
            Field("current", _("现密码"), "password", autocomplete="current-password"),
            Field("password", _("新密码"), "password", autocomplete="new-password"),
        ),
        _("更改密码"),
    )

    def send(values: dict[str, Any]) -> str:
        desk.send("registration", "change_password", account=desk.me.actor, **values)
        current_app.extensions["jianding.renewals"].leave()
        return url_for("console.door_login")

    about = _("更改后所有设备上的登录都会结束，请用新密码重新登录。")
    return serve(form, send, done=_("密码已更改，请重新登录。"), title=_("更改密码"), about=about)
