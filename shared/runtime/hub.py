"""Eventlet: patched once, before anything that waits is imported."""

import warnings


def patch() -> None:
    """Makes waiting cooperative in this process. Called first by every program that runs nameko services."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # eventlet says of itself that it is deprecated
        import eventlet

        eventlet.monkey_patch()
