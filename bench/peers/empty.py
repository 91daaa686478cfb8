"""A nameko service with a method that does nothing; `python -m bench.peers.empty URL` serves it."""

import eventlet

eventlet.monkey_patch()

import sys  # noqa: E402
from typing import Any  # noqa: E402

from nameko.rpc import rpc  # noqa: E402
from nameko.runners import ServiceRunner  # noqa: E402


class Empty:
    """Answers, and that is all."""

    name = "empty"

    @rpc
    def nothing(self, **_message: Any) -> dict[str, Any]:
        return {}


def main() -> None:
    runner = ServiceRunner({"AMQP_URI": sys.argv[1], "max_workers": 16})
    runner.add_service(Empty)
    runner.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    runner.wait()


if __name__ == "__main__":
    main()
