"""What can be refused. The docstring of an error is its message: one Chinese paragraph, one English.

An error never carries the refused value: it may be a name or an ID number.
"""

import re
from typing import ClassVar


class Refusal(Exception):
    """请求被拒绝。

    The request is refused.
    """

    rule: ClassVar[str] = ""
    field: str = ""

    def __init__(self, field: str = "", *, zh: str = "", en: str = "") -> None:
        self.field = field or type(self).field
        self._zh, self._en = zh, en
        super().__init__(self.problem())

    @property
    def code(self) -> str:
        """The wire name, permanent once published."""
        return type(self).__name__

    def problem(self) -> dict[str, str]:
        """`{code, field, rule, zh, en}`, all text: what a caller on the bus or the command line gets."""
        chinese, english = _paragraphs(type(self).__doc__ or "")
        return {
            "code": self.code,
            "field": self.field,
            "rule": self.rule,
            "zh": " ".join(filter(None, (chinese, self._zh))),
            "en": " ".join(filter(None, (english, self._en))),
        }

    def __str__(self) -> str:
        problem = self.problem()
        where = " ".join(filter(None, (problem["field"], problem["rule"])))
        return f"{problem['code']}{f' [{where}]' if where else ''}: {problem['zh']} {problem['en']}"


def _paragraphs(doc: str) -> tuple[str, str]:
    parts = [re.sub(r"\s+", " ", part).strip() for part in doc.strip().split("\n\n")]
    return parts[0], parts[1] if len(parts) > 1 else ""


class DomainError(Refusal):
    """业务规则不允许。

    A rule of the domain does not allow this.
    """


class NotEntitled(DomainError):
    """无权办理，已记录；请由有权人员办理。

    You may not do this, and the attempt was recorded; somebody who may has to do it.
    """

    rule = "R015"
    field = "actor"


class InvalidInput(Refusal):
    """输入有误；请按提示更正后重新提交。

    The input is not valid; correct the field and send it again.
    """


class UnknownCommand(Refusal):
    """没有这个命令；用 jianding send 服务名 list 查看可用命令。

    There is no such command; `jianding send SERVICE list` lists those of a service.
    """

    field = "command"


class RoleNotAllowed(NotEntitled):
    """该角色无权执行此操作，已记录；请由有权角色的人员办理。

    This role may not do this, and the attempt was recorded; let somebody with the right role do it.
    """

    rule = "R015"
    field = "role"


class DutyConflict(NotEntitled):
    """同一批次内该人员已承担互斥职责，已记录；请换另一人办理。

    This person already holds a duty in this batch that excludes this one, and the attempt was recorded;
    another person has to do it.
    """

    rule = "R015"
    field = "actor"


class CommandIdReused(Refusal):
    """该 command_id 已用于另一内容；请为新的请求使用新的编号。

    This command_id was used for other content; use a new one for a new request.
    """

    field = "command_id"


class ClockIsAhead(Refusal):
    """设备时间晚于服务器时间；请校准设备时钟。

    The device's time lies in the future; set its clock.
    """

    rule = "R208"
    field = "occurred_at"


class TooLate(Refusal):
    """发生时间早于允许补报的期限；请由中心核实后办理。

    This happened longer ago than may be reported late; the centre has to look into it.
    """

    rule = "R108"
    field = "occurred_at"


class Conflict(Exception):
    """Somebody appended first. No caller sees it unless retries ran out: load again and decide again."""


class Busy(Refusal):
    """同一对象正被频繁修改；请稍后用同一 command_id 重试。

    The same thing is being changed by others; try again shortly with the same command_id.
    """


class Interrupted(Refusal):
    """办理中断，结果未知；请用同一 command_id 重试。

    The service was interrupted over this call and may have answered it; ask again with the same command_id.
    """
