"""nameko's own EventDispatcher: persistent messages, each confirmed before the next."""

import json
from collections.abc import Callable
from pathlib import Path

from nameko.standalone.events import event_dispatcher


def dispatching(url: str, path: str) -> Callable[[], None]:
    """Dispatches the events of a file."""
    events = [json.loads(line) for line in Path(path).read_bytes().splitlines()]
    dispatch = event_dispatcher({"AMQP_URI": url})

    def all_of_them() -> None:
        for event in events:
            dispatch("registration", event["type"], event)

    return all_of_them
