"""The form: fields by kind, what somebody typed, and the problem that a service found with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from services.gateway.console import words
from services.gateway.console.language import ZONE
from shared.bus.calls import Refused
from shared.kernel.clock import stamp
from shared.kernel.ids import new_id

_MOST_OF_A_FILE = 2_000_000
_TYPED = ("text", "lines", "number")
_NOT_AGAIN = ("csrf_token", "command_id", "subject", "typed", "password", "current")
_LONG = 60  # characters of a text that needs lines


@dataclass(frozen=True)
class Field:
    """One field. `kind`: text, lines, number, choice, many (boxes), several (a list to mark in), moment,
    file, truth, password, hidden.

    `options` are [(value, what it is called)], which a text only proposes; `hint` stands below.
    """

    name: str
    title: Any
    kind: str = "text"
    options: Sequence[tuple[Any, Any]] = ()
    hint: Any = ""
    value: Any = ""
    required: bool = True
    autocomplete: str = "off"
    least: int | None = None
    most: int | None = None

    def read(self) -> Any:
        """What was sent, as services want it; ValueError with the reason otherwise."""
        return _READERS.get(self.kind, _text)(self)


@dataclass(frozen=True)
class Form:
    """Fields, the button's words, and where the form goes (by default to the page that it stands on)."""

    fields: Sequence[Field]
    submit: Any
    action: str = ""
    title: Any = ""
    problem: dict[str, str] | None = None
    command_id: str = ""
    subject: str = ""
    weight: str = "main"
    sign: bool = False

    @property
    def typed(self) -> str:
        """The names of what somebody types, as `act` wants them."""
        return " ".join(field.name for field in self.fields if field.kind in _TYPED)

    @property
    def multipart(self) -> bool:
        return any(field.kind == "file" for field in self.fields)

    def fresh(self, **values: Any) -> "Form":
        """The form as it is first shown, under a new command_id and, for what it makes, a new id."""
        return replace(self._with(values), command_id=new_id(), subject=new_id())

    def again(self, problem: dict[str, str]) -> "Form":
        """The form as it was sent, with what is wrong; sent again unchanged, it is the same command."""
        sent = {field.name: _sent(field) for field in self.fields if field.kind not in ("file", "password")}
        known = "" if problem.get("code") == "CommandIdReused" else request.form.get("command_id", "")
        return replace(
            self._with(sent),
            problem=problem,
            command_id=known or new_id(),
            subject=request.form.get("subject") or new_id(),
        )

    def _with(self, values: dict[str, Any]) -> "Form":
        fields = [replace(field, value=values.get(field.name, field.value)) for field in self.fields]
        return replace(self, fields=fields)

    def values(self) -> dict[str, Any]:
        """What was sent; Refused names the field that is wrong."""
        found = {}
        for field in self.fields:
            try:
                found[field.name] = field.read()
            except ValueError as error:
                raise Refused(
                    {"code": "InvalidInput", "field": field.name, "rule": "", **_both(error)}
                ) from None
        return found


def serve(
    form: Form,
    send: Callable[[dict[str, Any]], str | None],
    *,
    done: Any = "",
    template: str = "form.html",
    **context: Any,
) -> Any:
    """Shows the form; once it is sent, `send(values)` acts and tells where to go on, or raises Refused."""
    if request.method == "GET":
        return render_template(template, form=form.fresh(), **context)
    try:
        target = send(form.values())
    except Refused as refused:
        # a command decided under this id may have been another's: what was typed stays, the id too
        return render_template(template, form=form.again(refused.problem), **context), 422
    flash(str(done or _("已办理。")), "done")
    return redirect(target or request.url, 303)


def act(send: Callable[[], Any], back: str, done: Any = "") -> Any:
    """A button was pressed: does it, and goes back with what came of it.

    What somebody typed beside the button is not thrown away when it is refused: it is shown to be mended.
    """
    try:
        send()
    except Refused as refused:
        if typed := request.form.get("typed", "").split():
            form = _as_typed(typed).again(refused.problem)
            return render_template("form.html", title=_("请更正后再提交"), form=form), 422
        flash(refused.problem, "problem")  # type: ignore[arg-type]
    else:
        flash(str(done or _("已办理。")), "done")
    return redirect(back, 303)


def _as_typed(names: Sequence[str]) -> Form:
    fields = []
    for name, value in request.form.items():
        if name in names:
            long = len(value) > _LONG or "\n" in value
            fields.append(Field(name, words.field(name), "lines" if long else "text"))
        elif name not in _NOT_AGAIN:
            fields.append(Field(name, "", "hidden"))
    return Form(fields, _("再次提交"), request.full_path.rstrip("?"))


def subject() -> str:
    """The id of what a form makes."""
    return request.form["subject"]


def inside(target: str) -> str:
    """An address that came with a request, if it is a page of our own; else the first page."""
    parts = urlsplit(target)
    ours = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc
    return target if ours else url_for("console.door_home")


# -- reading


def _both(error: ValueError) -> dict[str, str]:
    chinese, english = error.args
    return {"zh": chinese, "en": english}


def _sent(field: Field) -> Any:
    if field.kind == "many":
        return request.form.getlist(field.name)
    return request.form.get(field.name, "")


def _text(field: Field) -> str:
    text = request.form.get(field.name, "").strip()
    if field.required and not text:
        raise ValueError("必填。", "It is required.")
    return text


def _number(field: Field) -> int:
    text = _text(field)
    if not text.lstrip("-").isdecimal() or len(text) > 9:
        raise ValueError("须为整数。", "It has to be a whole number.")
    return int(text)


def _lines(field: Field) -> list[str]:
    found = [line.strip() for line in request.form.get(field.name, "").splitlines() if line.strip()]
    if field.required and not found:
        raise ValueError("至少填写一行。", "It needs at least one line.")
    return found


def _many(field: Field) -> list[Any]:
    known = {str(value): value for value, _ in field.options}
    return [known[text] for text in request.form.getlist(field.name) if text in known]


def _choice(field: Field) -> Any:
    text = _text(field)
    known = {str(value): value for value, _ in field.options}
    if text not in known:
        raise ValueError("请选择一项。", "Choose one of them.")
    return known[text]


def _moment(field: Field) -> str:
    """A moment of the clocks of China, as a stamp."""
    try:
        found = datetime.fromisoformat(_text(field))
    except ValueError:
        raise ValueError("须为日期和时间。", "It has to be a date and a time.") from None
    return stamp(found.replace(tzinfo=ZoneInfo(ZONE)))


def _file(field: Field) -> bytes:
    sent = request.files.get(field.name)
    found = sent.stream.read(_MOST_OF_A_FILE) if sent else b""
    if field.required and not found:
        raise ValueError("请选择文件。", "Choose a file.")
    return found


_READERS: dict[str, Callable[[Field], Any]] = {
    "number": _number,
    "lines": _lines,
    "many": _many,
    "several": _many,
    "choice": _choice,
    "moment": _moment,
    "file": _file,
    "truth": lambda field: field.name in request.form,
    "password": lambda field: request.form.get(field.name, ""),
}
