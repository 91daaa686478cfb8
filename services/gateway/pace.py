"""How often somebody may ask, by the address that he comes from."""

import time

from flask import Flask, current_app, request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from services.gateway.problems import TooManyRequests
from shared.runtime.settings import Settings

SELDOM = 30  # a minute, of what a stranger may ask to guess at something
_UNCOUNTED = ("/healthz", "/readyz", "/metrics")


class Pace:
    """Counts the requests of a minute."""

    def __init__(self) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def keep(self, what: str, most: int) -> None:
        """TooManyRequests if this address has asked for it `most` times in this minute; 0 is no limit."""
        limit = RateLimitItemPerMinute(most)
        if most and not self._limiter.hit(limit, what, request.remote_addr or ""):
            reset = self._limiter.get_window_stats(limit, what, request.remote_addr or "").reset_time
            raise TooManyRequests(max(1, round(reset - time.time())))


def register(app: Flask, settings: Settings) -> None:
    """Every request counts against JIANDING_RATE, but for those of a supervisor of processes."""
    pace = app.extensions["jianding.pace"] = Pace()

    @app.before_request
    def keep() -> None:
        if request.path not in _UNCOUNTED:
            pace.keep("all", settings.rate)


def seldom(what: str) -> None:
    """For what nobody should guess at: a login, a certificate by its number."""
    current_app.extensions["jianding.pace"].keep(what, SELDOM)
