"""An empty Flask route in nameko's own web server; `python -m bench.peers.route PORT` serves it."""

import eventlet

eventlet.monkey_patch()

import sys  # noqa: E402

from flask import Flask  # noqa: E402
from nameko.runners import ServiceRunner  # noqa: E402
from nameko.web.handlers import http  # noqa: E402
from werkzeug.wrappers import Request, Response  # noqa: E402

app = Flask(__name__)


@app.get("/")
def empty() -> str:
    """Nothing."""
    return ""


class Route:
    """Hands every request to Flask."""

    name = "route"

    @http("GET", "/")
    def request(self, request: Request) -> Response:
        return Response.from_app(app, request.environ)


def main() -> None:
    address = f"127.0.0.1:{sys.argv[1]}"
    runner = ServiceRunner({"AMQP_URI": "memory://", "WEB_SERVER_ADDRESS": address, "max_workers": 16})
    runner.add_service(Route)
    runner.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    runner.wait()


if __name__ == "__main__":
    main()
