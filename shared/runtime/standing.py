"""Whether everything that was decided has reached everybody whom it concerns."""

from psycopg import Connection

from shared.contracts import SERVICES, SOURCES
from shared.runtime.databases import as_role
from shared.runtime.settings import Settings
from shared.store import migrations, sealer, standing


def settled(settings: Settings, admin: str) -> bool:
    """True when every event is sealed, and every consumer of every service has applied every source.

    Logs are looked at before and after the consumers: what a reaction adds in between shows.
    """
    before = _heads(settings, admin)
    if before is None:
        return False
    positions = [
        (position, before[source.rpartition("/")[2]])
        for service in SERVICES
        for (_, source), position in _applied(settings, admin, service).items()
    ]
    return all(position == head for position, head in positions) and before == _heads(settings, admin)


def _heads(settings: Settings, admin: str) -> dict[str, int] | None:
    heads = {}
    for service in SOURCES:
        with _connected(settings, admin, service) as connection:
            if standing.unsealed(connection):
                return None
            heads[service] = sealer.head(connection)[0]
    return heads


def _applied(settings: Settings, admin: str, service: str) -> dict[tuple[str, str], int]:
    with _connected(settings, admin, service) as connection:
        return standing.applied(connection)


def _connected(settings: Settings, admin: str, service: str) -> Connection[tuple[object, ...]]:
    return Connection.connect(as_role(settings, admin, service, migrations.service_role(service)))
