"""Why something cannot be done with a batch."""

from shared.kernel.errors import DomainError, NotEntitled


class NotTheCentre(NotEntitled):
    """此事项由指导中心办理；请由中心人员办理。

    This is for the guidance centre to do; let somebody of the centre do it.
    """

    rule = "R001"
    field = "actor.body"


class StationCannotAssign(NotEntitled):
    """考评员由指导中心委派，鉴定所不得自行选派；请向中心提出。

    Examiners are sent by the centre, a station cannot choose them; ask the centre.
    """

    rule = "R066"
    field = "actor.body"


class BatchExists(DomainError):
    """该批次编号已存在；新的批次请使用新的编号。

    A batch with this id exists; use a new id for a new batch.
    """

    field = "batch"


class BatchUnknown(DomainError):
    """没有这个批次；请核对批次编号。

    There is no such batch; check its id.
    """

    field = "batch"


class TheoryInThePast(DomainError):
    """理论考试日期早于今天；请另定时间。

    The theory exam lies before today; set another time.
    """

    rule = "R044"
    field = "theory_at"


class PracticalInThePast(DomainError):
    """操作考核日期早于今天；请另定时间。

    The practical exam lies before today; set another time.
    """

    rule = "R044"
    field = "practical_at"


class NotForThisBatch(DomainError):
    """申请的鉴定所、职业或等级与批次不符；请核对申请所报的批次。

    The application's station, occupation or level is not this batch's; check which batch it was meant for.
    """

    rule = "R003"
    field = "application"


class BatchIsFull(DomainError):
    """报名人数已达批次计划人数；请改报其他批次。

    As many candidates as planned are enrolled; apply for another batch.
    """

    rule = "R044"
    field = "batch"


class RosterIsClosed(DomainError):
    """任务通知书已下达，花名册不再变动；请改报其他批次。

    The task notice is issued and the roster no longer grows; apply for another batch.
    """

    rule = "R045"
    field = "batch"


class RosterIsEmpty(DomainError):
    """批次没有考生；请待考生报名后再办理。

    Nobody is enrolled; come back once candidates are registered.
    """

    rule = "R045"
    field = "batch"


class NoticeAlreadyIssued(DomainError):
    """该批次的鉴定任务通知书已下达；请使用原通知书。

    The task notice of this batch is issued; use that one.
    """

    rule = "R045"
    field = "batch"


class NoticeMissing(DomainError):
    """尚未下达鉴定任务通知书，不得实施；请待中心下达通知书。

    There is no task notice, and nothing may be carried out without it; wait for the centre's notice.
    """

    rule = "R045"
    field = "batch"


class PoolAlreadySealed(DomainError):
    """试题池已封存，不得更改；请使用已封存的试题。

    The paper pool is sealed and cannot change; use the papers that were sealed.
    """

    rule = "R089"
    field = "batch"


class PoolNotSealed(DomainError):
    """试题池尚未封存；请待中心封存试题后再编排考位。

    The paper pool is not sealed; allocate the seats once the centre has sealed it.
    """

    rule = "R081"
    field = "batch"


class ExaminerAlreadyAssigned(DomainError):
    """该考评员已委派到此科目；请另选人员。

    This examiner is assigned to this part already; choose another person.
    """

    rule = "R066"
    field = "examiner"


class HeadAlreadyAssigned(DomainError):
    """此科目已有考评组长；请委派为组员。

    This part has its panel head already; assign the examiner as a member.
    """

    rule = "R072"
    field = "head"


class PanelIsClosed(DomainError):
    """考位已编排，考评小组不再变动；请以现有考评员组织考核。

    The seats are allocated, and the panel no longer changes; hold the exam with the examiners it has.
    """

    rule = "R066"
    field = "batch"


class TheoryExaminerMissing(DomainError):
    """理论科目尚无考评员；请待中心委派。

    Nobody is assigned to the theory part; wait for the centre to assign an examiner.
    """

    rule = "R072"
    field = "batch"


class PracticalPanelIncomplete(DomainError):
    """操作考核考评小组须为三人以上单数并有一名组长；请中心补派。

    The practical panel needs three or more examiners, an odd number, one of them its head; ask the centre
    for more.
    """

    rule = "R072"
    field = "batch"


class RoomsTooFew(DomainError):
    """考场不足，每个考场最多 30 人；请增加考场。

    The rooms do not hold everybody at 30 to a room; name more rooms.
    """

    rule = "R057"
    field = "rooms"


class SeatsAlreadyAllocated(DomainError):
    """考位已编排；请使用原编排。

    The seats are allocated; use that allocation.
    """

    rule = "R060"
    field = "batch"


class RoomTaken(DomainError):
    """所选考场当日已由其他批次使用；请另选考场。

    Another batch uses one of these rooms on the same day; choose other rooms.
    """

    rule = "R055"
    field = "rooms"


class SeatsMissing(DomainError):
    """考位尚未编排，批次未实施，不能关闭；请在考核结束后关闭。

    No seats are allocated, and the batch was not carried out; close it once its exam is over.
    """

    rule = "R172"
    field = "batch"


class SittingsNotEnded(DomainError):
    """尚有考生未抽题也未登记缺考，批次不能关闭；请先办完每位考生的考核。

    Somebody on the roster has neither drawn a paper nor been marked absent; finish every sitting, then close
    the batch.
    """

    rule = "R172"
    field = "batch"


class BatchIsClosed(DomainError):
    """该批次已关闭，不再办理；如有遗漏，请向中心申报并另立批次。

    This batch is closed, and nothing more is done in it; tell the centre what was left out, and use another
    batch.
    """

    rule = "R172"
    field = "batch"
