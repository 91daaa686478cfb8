"""Why scheduling refuses: each aggregate's reasons in its own module, in the order in which it meets them."""

from shared.kernel.errors import NotEntitled


class OtherStation(NotEntitled):
    """该批次属于其他鉴定所；请由所属鉴定所办理。

    This batch belongs to another station; that station has to act.
    """

    rule = "R001"
    field = "actor.body"
