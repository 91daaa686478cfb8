"""How psycopg waits for its server: through the hub where greenlets share the process, else in C."""

import select
from types import BuiltinFunctionType
from typing import Any

from psycopg import waiting

_alone = getattr(waiting, "wait_c", waiting.wait_select)


def wait(*words: Any, **more: Any) -> Any:
    """As psycopg's own; called by each of its connections.

    A select that eventlet has patched is a function of the hub, the real one is built in. A selector for
    each wait, which psycopg would make for a hub, and waiting in Python took a tenth of an append.
    """
    shared = not isinstance(select.select, BuiltinFunctionType)
    return (waiting.wait_select if shared else _alone)(*words, **more)
