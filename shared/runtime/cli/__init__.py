"""`jianding`, the command line: one module for each group of commands."""

import sys
import warnings


def main() -> None:
    """The console script. Eventlet is patched before anything else is imported; the relay waits with pika."""
    warnings.filterwarnings(
        "ignore", message=r"\s*Eventlet is deprecated"
    )  # it says so itself; nameko needs it
    if "relay" not in sys.argv[1:4]:
        from shared.runtime import hub

        hub.patch()
    from shared.runtime.cli.main import main as run

    run()
