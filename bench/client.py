"""One client process: prepares its work, waits for the start, and says how often it did it in how long.

Imports nothing of the product for a peer, which has to run as it would without us.
"""

import json
import sys
import time
from importlib import import_module
from typing import Any


def main() -> None:
    """A job comes on standard input: `{work: "module:function", arguments, seconds or times}`."""
    job: dict[str, Any] = json.loads(sys.stdin.readline())
    module, _, function = job["work"].partition(":")
    if not module.startswith("bench.peers."):
        import_module("shared")  # before psycopg, whose way of waiting it chooses
    once = getattr(import_module(module), function)(**job["arguments"])
    _say("ready")
    sys.stdin.readline()
    _say(_repeat(once, job.get("seconds", float("inf")), job.get("times", float("inf"))))


def _repeat(once: Any, seconds: float, times: float) -> dict[str, Any]:
    done, said, began = 0, None, time.monotonic()
    while done < times and time.monotonic() - began < seconds:
        said = once()
        done += 1
    return {"done": done, "seconds": time.monotonic() - began, "said": said}


def _say(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
