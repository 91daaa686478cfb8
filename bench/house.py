"""The embedded node with its door, on the stage's data, without the programs that sign what is no real log.

python -m bench.house   says `ready`; ends with its standard input.
"""

from shared.runtime.hub import patch

patch()

import sys  # noqa: E402

from eventlet import tpool  # noqa: E402

from shared.runtime.node import Node  # noqa: E402
from shared.runtime.postgres import Postgres  # noqa: E402
from shared.runtime.settings import settings  # noqa: E402


def main() -> None:
    current = settings()
    with Node(current, Postgres(current).dsn, programs=False, door=True):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        tpool.execute(sys.stdin.read)


if __name__ == "__main__":
    main()
