"""`jianding`, the command line: one module for each group of commands."""

import sys


def main() -> None:
    """The console script. Eventlet is patched before anything else is imported; the relay waits with pika."""
    if "relay" not in sys.argv[1:3]:
        from shared.runtime import hub

        hub.patch()
    from shared.runtime.cli.main import main as run

    run()
