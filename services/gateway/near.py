"""Who is near: from the networks of JIANDING_METRICS_FROM one may see how it stands without a login."""

import logging
from collections.abc import Callable
from ipaddress import ip_address, ip_network

from flask import Flask, request

from shared.runtime.settings import Settings

log = logging.getLogger(__name__)

Near = Callable[[], bool]
"""Whether whoever asks comes from there."""

_UNKNOWN = (
    "requests come through a proxy (X-Forwarded-For), but JIANDING_PROXIES is 0: all behind it count as"
    " one caller, who soon asks too often; set JIANDING_PROXIES to how many proxies stand in front"
)


def register(app: Flask, settings: Settings) -> Near:
    """A proxy that nobody has told us of is not who asks: that is said once in the log."""
    networks = [ip_network(text) for text in settings.metrics_from.split()]
    said: list[bool] = []

    def unknown_proxy() -> bool:
        return not settings.proxies and "X-Forwarded-For" in request.headers

    @app.before_request
    def warn() -> None:
        if unknown_proxy() and not said:
            said.append(True)
            log.warning(_UNKNOWN)

    def near() -> bool:
        asks = ip_address(request.remote_addr or "0.0.0.0")  # noqa: S104
        return not unknown_proxy() and any(asks in network for network in networks)

    return near
