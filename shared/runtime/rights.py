"""Who may do what: one table, which nobody writes, because the services themselves say it."""

from functools import cache

from shared.contracts import SERVICES
from shared.kernel.actors import Role
from shared.runtime import manual

Table = dict[tuple[str, str], frozenset[Role]]


@cache
def table() -> Table:
    """(service, method) -> the roles that may call it; all of them where nobody is asked who he is.

    What stands here is what a service refuses by role alone. Of whom or what somebody may act, by body, duty
    or person, the decision itself knows.
    """
    return {
        (service, name): frozenset(roles) for service in SERVICES for name, roles in manual.roles(service)
    }


@cache
def open_to_all() -> frozenset[tuple[str, str]]:
    """What may be called without being anybody: log-in and what is public."""
    return frozenset(call for call, roles in table().items() if roles == frozenset(Role))
