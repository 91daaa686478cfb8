"""Why an application goes no further, in the order in which it meets the reasons."""

from shared.kernel.errors import DomainError, NotEntitled


class PersonUnknown(DomainError):
    """没有此人员编号；请先凭证件建档。

    Nobody is enrolled under this id; enrol the person from his document first.
    """

    rule = "R029"
    field = "candidate"


class ApplicationExists(DomainError):
    """该申请编号已存在；新的申请请使用新的编号。

    An application with this id exists; use a new id for a new application.
    """

    field = "application"


class ApplicationAlreadyOpen(DomainError):
    """该考生同职业同等级已有未办结的申请；请先办结或撤回原申请。

    This person has an open application for this occupation and level; conclude or withdraw that one first.
    """

    rule = "R036"
    field = "candidate"


class ApplicationUnknown(DomainError):
    """没有这份申请；请核对申请编号。

    There is no such application; check its id.
    """

    field = "application"


class NotAwaitingThis(DomainError):
    """申请不在可办理此步骤的状态；请查看申请的办理记录。

    The application is not waiting for this step; look at its trail.
    """

    rule = "R026"
    field = "application"


class ConditionsNotMet(DomainError):
    """不符合申报条件；请核对所持等级、工龄和学历，或予以退回。

    No branch of the eligibility rules is satisfied; check level held, years and education, or reject it.
    """

    rule = "R028"
    field = "application"


class SecondPersonNeeded(NotEntitled):
    """复核须由初审以外的人员办理；请由中心另一人员复核。

    The centre's review needs another person than the station's; let a second reviewer of the centre do it.
    """

    rule = "R026"
    field = "actor"


class NotTheCentre(NotEntitled):
    """复核只能由中心办理，已记录；请由中心人员办理。

    The second review is the centre's; somebody who acts for the centre has to do it.
    """

    rule = "R026"
    field = "body"


class OtherStation(NotEntitled):
    """该申请属于其他鉴定所；请由所属鉴定所办理。

    This application belongs to another station; that station has to act.
    """

    rule = "R001"
    field = "actor.body"
