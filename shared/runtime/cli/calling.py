"""Commands that ask a service for something, as whoever is named or logged in."""

import json
import sys
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from shared.contracts import SERVICES
from shared.runtime.cli import session
from shared.runtime.cli.output import Failed, Json, console, tell
from shared.runtime.cli.typed import fields, password, printable
from shared.runtime.settings import settings

Service = StrEnum("Service", {name: name for name in SERVICES})  # type: ignore[misc]
Token = Annotated[
    Path | None,
    typer.Option("--token", metavar="FILE", help="Where the login is kept; else `session` in JIANDING_VAR."),
]

_MESSAGE = (
    "The fields as a JSON object; `-` reads standard input, as it should where somebody's identity is in it:"
    " `ps` and the shell's history show arguments. 含个人信息时请用 - 从标准输入提交。"
)


def send(
    service: Annotated[Service, typer.Argument(help="Which service is asked.")],
    command: Annotated[
        str,
        typer.Argument(help="Such as submit_application; `list` shows them all, with fields and roles."),
    ],
    message: Annotated[str, typer.Argument(help=_MESSAGE)] = "{}",
    actor: Annotated[str, typer.Option(help="Who asks: an opaque id.")] = "",
    role: Annotated[str, typer.Option(help="In which role, such as exam_affairs.")] = "",
    body: Annotated[str, typer.Option(help="For which body: centre, or station-<8 digits>.")] = "",
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Send one command or question to a service, and print its answer. 向一个服务提交命令或查询。

    Whoever is logged in (`jianding login`) asks, unless --actor, --role and --body name somebody.
    A command needs a command_id; sending the same one again gives the same answer.
    Identity goes through standard input: `send registration enrol_person - … < person.json`.
    """
    from shared.runtime.manual import methods

    if command == "list":
        _list_methods(service.value, as_json)
        return
    if command not in methods(service.value):
        raise Failed(_unknown(service.value, command))
    given = _given(message)
    try:
        data = _caller({"actor": actor, "role": role, "body": body}, token)
        answer = _ask(service.value, command, data, given)
    except Exception as error:
        problem = getattr(error, "problem", None)
        if problem is None or not as_json:
            raise
        tell({"error": problem})
        sys.exit(1)
    tell(answer) if as_json else console.print_json(json.dumps(answer, ensure_ascii=False))


def _given(message: str) -> dict[str, Any]:
    given = fields(message, "message")
    if "self" in given:  # which every method has already
        raise Failed("message: 没有字段 self，请删除。 The field self is unknown; leave it out.")
    return given


def _ask(service: str, command: str, data: dict[str, Any], fields: dict[str, Any]) -> Any:
    from shared.runtime.cli.access import admin, have_keys
    from shared.runtime.demo.mark import somebodys
    from shared.runtime.processes import call_embedded, call_over_rabbit, is_command

    current = settings()
    if not current.embedded_bus:
        return call_over_rabbit(current, service, command, data, fields)
    with admin(current) as dsn:
        have_keys(current, dsn)
        with somebodys(current.var) if is_command(fields) else nullcontext():
            return call_embedded(current, dsn, service, command, data, fields)


def _unknown(service: str, command: str) -> str:
    from shared.kernel.errors import UnknownCommand

    return f"{UnknownCommand()} ({service} {command[:60]})"


def _caller(named: dict[str, str], token: Path | None) -> dict[str, str]:
    """The context of a call: by a token, and by what is said of the caller, which must not differ from it."""
    kept = session.place(settings(), token)
    said = {name: value for name, value in named.items() if value}
    if token is not None or (not said and kept.exists()):
        return {**said, "token": session.token(kept, _registration)}
    _name_the_caller(named)
    return named


def _registration(method: str, message: dict[str, Any]) -> Any:
    return _ask("registration", method, {}, message)


def login(
    name: Annotated[str, typer.Argument(help="The login name.", callback=printable)],
    appointment: Annotated[
        str, typer.Option(metavar="ROLE@BODY", help="As which of your appointments; else the first.")
    ] = "",
    password_file: Annotated[
        str, typer.Option(metavar="FILE", help="Its first line is the password; `-` is standard input.")
    ] = "",
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Log in, so that `send` asks as you, for up to twelve hours. 登录。

    The password is asked for on the terminal. Whoever reads the file with the login is taken for you: only
    its owner may.
    """
    said = {"name": name, "password": password(password_file), "appointment": appointment}
    answer = _registration("login", said)
    session.keep(session.place(settings(), token), answer)
    if as_json:
        tell({key: answer[key] for key in ("actor", "role", "body", "appointments")})
        return
    console.print(f"logged in as 已登录为 {answer['role']}@{answer['body']}", markup=False, soft_wrap=True)
    for each in answer["appointments"]:
        console.print(f"    {each['role']}@{each['body']}", markup=False, soft_wrap=True)


def logout(token: Token = None, as_json: Json = False) -> None:
    """End the login that is kept here. 退出登录。"""
    kept = session.place(settings(), token)
    session.leave(kept, _registration)
    tell({"done": "logged out"}) if as_json else console.print("logged out 已退出")


def _name_the_caller(data: dict[str, str]) -> None:
    """All that is missing, at once."""
    from shared.bus.calls import Refused
    from shared.kernel.actors import Role
    from shared.kernel.errors import InvalidInput

    missing = [name for name, value in data.items() if not value]
    if missing:
        options = ", ".join(f"--{name}" for name in missing)
        roles = ", ".join(role for role in Role if role is not Role.SERVICE)
        zh = f"请加上 {options}：操作人编号（不含个人信息）、角色、所属机构（centre 或 station-八位代码）。"
        en = (
            f"Add {options}: every call names who asks, by an opaque id such as a UUID, in which role"
            f" ({roles}), and for which body (centre, or station- and 8 digits)."
        )
        raise Refused.of(InvalidInput(missing[0], zh=zh, en=en))


def _list_methods(service: str, as_json: bool) -> None:
    from shared.runtime.manual import manual

    found = manual(service)
    if as_json:
        tell({method.name: method.as_data() for method in found})
        return
    for method in found:
        about = f"  {method.about}" if method.about else ""
        console.print(f"{method.name} ({method.kind}){about}", markup=False, soft_wrap=True)
        console.print(f"    roles 角色: {_roles(method.roles)}", markup=False, soft_wrap=True)
        for field in method.fields:
            optional = "" if field.required else "  (optional 可省略)"
            console.print(f"    {field.name}: {field.type}{optional}", markup=False, soft_wrap=True)


def _roles(roles: tuple[str, ...]) -> str:
    from shared.kernel.actors import Role

    others = [role for role in Role if role not in roles and role is not Role.SERVICE]
    if len(others) > 3:
        return ", ".join(roles)
    return f"every role but {', '.join(others)}" if others else "every role"
