"""Commands for accounts, straight on registration's database: as its machine's operator, without login."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Annotated, Any

import typer

from shared.contracts import SERVICES
from shared.runtime import databases
from shared.runtime.cli.access import admin, connection, have_keys
from shared.runtime.cli.output import Json, console, tell
from shared.runtime.cli.typed import password, printable, printables
from shared.runtime.definition import definition
from shared.runtime.demo.mark import somebodys
from shared.runtime.settings import Settings, settings

_FIRST = "00000000-0000-0000-0000-000000000000"
_APPOINTMENT = "A role for a body, such as administrator@centre or trainer@station-10012003"
Whose = Annotated[
    str, typer.Argument(metavar="ACCOUNT", help="Its id, or its login name.", callback=printable)
]


def open_(
    name: Annotated[str, typer.Argument(help="The login name.", callback=printable)],
    appointment: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLE@BODY", help=f"{_APPOINTMENT}; may be repeated.", callback=printables),
    ] = None,
    account: Annotated[
        str, typer.Option(metavar="ID", help="Whose it is: a candidate's id, an examiner's; else a new one.")
    ] = "",
    password_file: Annotated[
        str, typer.Option(metavar="FILE", help="Its first line is the password; `-` is standard input.")
    ] = "",
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Its holder logs in elsewhere, by OpenID Connect.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Open an account; the first administrator's, too. 开户。

    The password is asked for on the terminal, unless a file is named.
    """
    typed = None if no_password else password(password_file, again=True)
    with _operator(mark=somebodys, begins=True) as operator:
        opened = operator.open(name, appointment or [], typed, account)
    if as_json:
        tell({"account": opened})
    else:
        console.print(f"open 已开户: {opened}; `jianding login` lets its holder in", soft_wrap=True)


def list_(
    after: Annotated[str, typer.Option(help="Only accounts behind this id.", callback=printable)] = _FIRST,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 1000,
    as_json: Json = False,
) -> None:
    """List accounts by id, with login names and appointments. 列出账号。"""
    with _operator() as operator:
        rows = operator.rows(after, limit)
    if as_json:
        tell({"accounts": rows})
        return
    if not rows:
        console.print("no accounts / 没有账号")
    for row in rows:
        held = ", ".join(row["appointments"]) if row["open"] else "closed 已销户"
        console.print(f"{row['account']}  {row['name_shown']}  {held}", markup=False, soft_wrap=True)


def appoint(
    account: Whose,
    appointment: Annotated[
        str, typer.Argument(metavar="ROLE@BODY", help=f"{_APPOINTMENT}.", callback=printable)
    ],
    as_json: Json = False,
) -> None:
    """Give an account one more appointment. 任职。"""
    with _operator(mark=somebodys) as operator:
        answer = operator.appoint(account, appointment)
    tell(answer) if as_json else console.print(f"appointed 已任职: {appointment}", markup=False)


def close(account: Whose, as_json: Json = False) -> None:
    """Close an account: nobody logs in with it any more. 销户。"""
    with _operator(mark=somebodys) as operator:
        answer = operator.close(account)
    tell(answer) if as_json else console.print("closed 已销户")


@contextmanager
def _operator(mark: Callable[..., Any] = nullcontext, *, begins: bool = False) -> Iterator[Any]:
    """`mark`: what is to be noted of the data. `begins`: whether it may be made, as the first step of all."""
    current = settings()
    new = current.embedded_postgres and not (current.var / "postgres").exists()
    with admin(current, create=begins) as dsn:
        _ready(current, dsn, new=new)
        noted = mark(current.var) if current.embedded_postgres else nullcontext()
        with noted, connection(current, dsn, "registration") as connected:
            yield definition("registration").tools["operator"](connected, current)


def _ready(current: Settings, dsn: str, *, new: bool) -> None:
    if new:
        for service in SERVICES:
            databases.prepare(current, dsn, service, definition(service).package)
    elif current.embedded_postgres:
        have_keys(current, dsn)
