"""Commands as callers send them: marshmallow schemas whose errors name the field and say what to do."""

import re
from functools import cache
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from shared.kernel.aggregates import Command
from shared.kernel.clock import moment, stamp
from shared.kernel.errors import InvalidInput

_REQUIRED = "必填 / is required"
_NULL = "不能为空 / must not be null"
_TEXT = "须为文字 / must be text"
_LIST = "须为列表 / must be a list"
_WHOLE = "须为整数 / must be a whole number"
_TRUTH = "须为 true 或 false / must be true or false"
_OF_A_MESSAGE = {
    "unknown": "没有这个字段，请删除 / is unknown, leave it out",
    "type": "须为对象 / must be an object",
}
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BODY = re.compile(r"[0-9]{8}")
_ACTING = re.compile(r"centre|station-[0-9]{8}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# a resident ID number, or a mobile telephone's; what stands in an event can never be taken out again (R207)
_IDENTIFYING = re.compile(r"(?<![0-9A-Za-z-])([0-9]{17}[0-9Xx]|1[3-9][0-9]{9})(?![0-9A-Za-z-])", re.ASCII)
_NAME_OF_FIELD = re.compile(r"[A-Za-z0-9_.]{1,60}")


def _match(pattern: re.Pattern[str], text: str, problem: str) -> None:
    if not pattern.fullmatch(text):
        raise ValidationError(problem)


def _length(most: int) -> validate.Length:
    return validate.Length(1, most, error=f"须为 1 至 {most} 个字符 / must have 1 to {most} characters")


def _impersonal(text: str) -> None:
    if _IDENTIFYING.search(text):
        raise ValidationError("不得含证件号码或电话号码 / must not hold an ID number or a telephone number")


def _printable(text: str) -> None:
    if not text.isprintable() or any("\ud800" <= char <= "\udfff" for char in text):
        raise ValidationError("含有不可打印的字符 / has characters that cannot be printed")


def _different(items: Any) -> None:
    if len(set(items)) != len(items):
        raise ValidationError("有重复项 / has an item twice")


def _messages(invalid: str) -> dict[str, Any]:
    return {"required": _REQUIRED, "null": _NULL, "invalid": invalid}


class Words(fields.String):
    """Text, with messages in both languages; bytes are none, even where they spell some.

    `kind` is what `jianding send SERVICE list` calls it.
    """

    kind: ClassVar[str] = "text"
    spelling: ClassVar[str] = ""  # a regular expression, where a document can say more than the kind
    default_error_messages = _messages(_TEXT)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError(_TEXT)
        return super()._deserialize(value, *args, **kwargs)


class Id(Words):
    """A UUID in its canonical lower-case spelling, so that one id has one stream."""

    kind = "UUID"
    spelling = _ID.pattern

    def __init__(self, **kwargs: Any) -> None:
        message = "须为小写 UUID / must be a lower-case UUID"
        kwargs.setdefault("required", True)
        super().__init__(validate=lambda text: _match(_ID, text, message), **kwargs)


class Text(Words):
    """Required text of 1 to `most` characters, without control characters and without numbers of people.

    `identity=True` is for what goes into the vault, and nowhere else.
    """

    def __init__(self, most: int = 200, *, identity: bool = False, **kwargs: Any) -> None:
        kwargs.setdefault("required", True)
        self.identity = identity
        checks = [_length(most), _printable, *(() if identity else (_impersonal,))]
        super().__init__(validate=checks, **kwargs)


class Number(fields.Integer):
    """A required whole number between two bounds; no float, no text, no truth value."""

    kind = "whole number"
    default_error_messages = _messages(_WHOLE)

    def __init__(self, least: int, most: int, **kwargs: Any) -> None:
        kwargs.setdefault("required", True)
        bounds = f"须在 {least} 与 {most} 之间 / must be from {least} to {most}"
        super().__init__(strict=True, validate=validate.Range(least, most, error=bounds), **kwargs)

    def _validated(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError(_WHOLE)
        return value


class Truth(fields.Boolean):
    """A required true or false; no text and no number stands for it."""

    kind = "true or false"
    default_error_messages = _messages(_TRUTH)

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", True)
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError(_TRUTH)
        return value


class Moment(Words):
    """A time with an offset; loaded as our stamp (R208)."""

    kind = "time with offset"

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", True)
        super().__init__(validate=_length(40), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            return stamp(moment(super()._deserialize(value, attr, data, **kwargs)))
        except (ValueError, OverflowError):
            raise ValidationError(
                "须为带时区的时间 / must be a time with an offset, as 2026-04-16T09:30:00+08:00"
            ) from None


class Choice(Words):
    """One of a few words."""

    kind = "one of"

    def __init__(self, *words: str, **kwargs: Any) -> None:
        kwargs.setdefault("required", True)
        super().__init__(validate=validate.OneOf(words, error="须为 / must be one of: {choices}"), **kwargs)


class Many(fields.List):
    """A required list of `least` to `most` different items; loaded as a tuple."""

    default_error_messages = _messages(_LIST)

    def __init__(self, item: fields.Field, least: int = 1, most: int = 500, **kwargs: Any) -> None:
        kwargs.setdefault("required", True)
        error = f"须有 {least} 至 {most} 项 / must have {least} to {most} items"
        super().__init__(item, validate=[validate.Length(least, most, error=error), _different], **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, list | tuple) and len(value) > 10_000:  # before any work on its items
            raise ValidationError("项数过多 / has too many items")
        return tuple(super()._deserialize(value, attr, data, **kwargs))


class Station(Words):
    """An eight-digit body code (P8)."""

    kind = "8-digit body code"
    spelling = _BODY.pattern

    def __init__(self, **kwargs: Any) -> None:
        message = "须为 8 位机构代码 / must be an 8-digit body code"
        kwargs.setdefault("required", True)
        super().__init__(validate=lambda text: _match(_BODY, text, message), **kwargs)


class Body(Words):
    """A body that acts: the centre, or a station by its code."""

    kind = "centre, or station- and 8 digits"

    def __init__(self) -> None:
        message = "须为 centre 或 station-八位机构代码 / must be centre, or station- and 8 digits"
        super().__init__(required=True, validate=lambda text: _match(_ACTING, text, message))


class Maybe(Words):
    """Text that may be left out, or be empty, which says the same."""

    def __init__(self, most: int = 60) -> None:
        error = f"不得超过 {most} 个字符 / must not have more than {most} characters"
        checks: list[Any] = [validate.Length(0, most, error=error), _printable]  # nothing is printable too
        super().__init__(required=False, validate=checks)


class Digest(Words):
    """A sha256 in lower-case hex."""

    kind = "sha256 in hex"
    spelling = _SHA256.pattern

    def __init__(self) -> None:
        message = "须为十六进制 sha256 / must be a sha256 in lower-case hex"
        super().__init__(required=True, validate=lambda text: _match(_SHA256, text, message))


class Message(Schema):
    """Base of what callers send; unknown fields are refused."""

    class Meta:
        unknown = RAISE

    error_messages = _OF_A_MESSAGE

    @staticmethod
    def said_of(wrong: str) -> dict[str, Any]:
        """What a field that holds a message says, in both languages."""
        return {**_messages(wrong), "type": wrong}

    def read(self, message: Any) -> dict[str, Any]:
        """The fields, checked; InvalidInput names the first wrong one (in the schema's order) otherwise."""
        try:
            return dict(self.load(message))
        except ValidationError as error:
            raise _refusal(error.normalized_messages(), list(self.fields)) from None

    @classmethod
    def check(cls, message: Any) -> dict[str, Any]:
        """What `read` of an instance says; there is one, for making one copies every field."""
        return _made(cls).read(message)


@cache
def _made(schema: type[Message]) -> Message:
    return schema()


class CommandSchema(Message):
    """Base of commands: a subclass names its `command`.

    `command_id` makes a retry safe: send the same one again and get the same answer.
    `occurred_at` is the device's time, when it is not now (R208).
    """

    command: ClassVar[type[Command]]

    command_id = Id()
    occurred_at = Moment(required=False)


class Cause(Message):
    """What a call may say about why it is made, in its context; ids of whatever caused it."""

    correlation_id = Id(required=False)
    causation_id = Id(required=False)


CAUSES = tuple(Cause().fields)


class QuerySchema(Message):
    """Base of questions.

    `key`: where the answer is a list by pages, the field of its rows that `after` names.
    """

    key: ClassVar[str] = ""


class Page(QuerySchema):
    """One page: up to `limit` rows behind `after`, the last id of the page before."""

    after = Id(required=False, load_default="00000000-0000-0000-0000-000000000000")
    limit = Number(1, 500, required=False, load_default=100)


class Newest(Page):
    """One page from the newest on: up to `limit` rows before `after`, the last id of the page before."""

    after = Id(required=False, load_default="ffffffff-ffff-ffff-ffff-ffffffffffff")


def _refusal(messages: dict[str, Any], known: list[str]) -> InvalidInput:
    name = next((name for name in known if name in messages), next(iter(messages)))
    field = name if _NAME_OF_FIELD.fullmatch(str(name)) else "(unnamed)"
    position, reason = _innermost(messages[name])
    chinese, _, english = reason.partition(" / ")
    return InvalidInput(f"{field}{position}", zh=f"{chinese}。", en=f"It {english or chinese}.")


def _innermost(reason: Any) -> tuple[str, str]:
    position = ""
    while isinstance(reason, dict):
        key, reason = next(iter(reason.items()))
        position += f"[{key}]" if isinstance(key, int) else ""
    return position, str(reason[0] if isinstance(reason, list) else reason)
