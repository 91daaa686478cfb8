"""Why somebody has no seat, does not get in, or does not draw."""

from shared.kernel.errors import DomainError


class SeatAlreadyAssigned(DomainError):
    """该考生已有考位；请使用原考位。

    This candidate has a seat already; use that one.
    """

    rule = "R060"
    field = "sitting"


class SittingUnknown(DomainError):
    """该申请尚无考位；请核对申请编号。

    This application has no seat; check its id.
    """

    field = "sitting"


class TicketAlreadyLinked(DomainError):
    """该考位已关联另一准考证；请核对准考证。

    Another ticket belongs to this seat; check the ticket.
    """

    rule = "R062"
    field = "ticket"


class TicketUnknown(DomainError):
    """准考证与该考位不符，不得入场；请核验准考证并报告考务组。

    This is not the ticket of this seat and opens no door; examine it and tell the exam office.
    """

    rule = "R062"
    field = "ticket"


class DocumentNotChecked(DomainError):
    """未核验有效证件，不得入场；请核验证件原件。

    No valid identity document was checked, so nobody is admitted; check the document itself.
    """

    rule = "R095"
    field = "document_checked"


class PhotoMismatch(DomainError):
    """照片与本人不符，不得入场；请按替考嫌疑报告考务组。

    The photo does not show this person, who is not admitted; report a suspected impersonation to the exam
    office.
    """

    rule = "R094"
    field = "photo_matches"


class AlreadyCheckedIn(DomainError):
    """该考生已签到；无须再办，如系误签请报告考务组。

    This candidate is checked in already; nothing is left to do, and a mistake is for the exam office.
    """

    rule = "R094"
    field = "sitting"


class AlreadyAbsent(DomainError):
    """该考生已登记缺考；如系误登请报告考务组。

    This candidate is marked as absent; tell the exam office if that was a mistake.
    """

    rule = "R037"
    field = "sitting"


class NotCheckedIn(DomainError):
    """该考生未签到，不得抽题；请先办理签到。

    This candidate is not checked in and cannot draw; check him in first.
    """

    rule = "R079"
    field = "sitting"


class OutsideDrawWindow(DomainError):
    """抽题须在操作考核开始前 30 分钟内进行；请在规定时间内抽题。

    A paper is drawn within the 30 minutes before the practical exam starts; draw within that time.
    """

    rule = "R079"
    field = "occurred_at"


class PaperAlreadyDrawn(DomainError):
    """该考生已抽题，不得重抽；请使用已抽试题。

    This candidate has drawn, and there is no second draw; use the paper that was drawn.
    """

    rule = "R081"
    field = "sitting"
