"""`jianding rebuild` by pages of a few events: `python -m tests.faults.regrow SERVICE/PROJECTION PAGE`.

So a log of some hundred events has many pages, and a rebuild can die half grown.
"""

import sys

from shared.runtime.cli.access import connection
from shared.runtime.definition import definition
from shared.runtime.rebuilding import rebuild
from shared.runtime.settings import settings


def main(projection: str, page: int) -> None:
    service, _, name = projection.partition("/")
    found, current = definition(service), settings()
    with connection(current, current.database_url, service) as connected:
        rebuild(connected, found, found.projection(name), current.source(service), page=page)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
