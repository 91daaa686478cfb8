"""`/metrics` for Prometheus: what comes through this door, and how all services say that they stand."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, g, request
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from services.gateway.backend import Context
from services.gateway.near import Near
from services.gateway.principal import principal
from services.gateway.watching import Watch
from shared.kernel.clock import moment
from shared.runtime.callers import FOLLOWERS, NotForThisRole


def register(app: Flask, watch: Watch, ourselves: Callable[[], Context], near: Near) -> None:
    """Counts requests from now on; open to whoever is near, and to who follows logs."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(_Standings(lambda: watch.look(ourselves())))
    requests = Counter(
        "jianding_http_requests", "HTTP requests", ["method", "route", "status"], registry=registry
    )
    commands = Counter(
        "jianding_commands",
        "Commands through this door",
        ["service", "command", "status"],
        registry=registry,
    )
    seconds = Histogram("jianding_http_seconds", "Until the answer began", ["route"], registry=registry)

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "none"
        method = request.method if request.url_rule else "none"  # a stranger may invent any
        requests.labels(method, route, response.status_code).inc()
        seconds.labels(route).observe(time.perf_counter() - g.began)
        for service, command, status in _commands(response.status_code):
            commands.labels(service, command, status).inc()
        return response

    @app.get("/metrics")
    def metrics() -> Response:
        """In the text format of Prometheus."""
        if not near() and principal().actor.role not in FOLLOWERS:
            raise NotForThisRole
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _commands(status: int) -> list[tuple[str, str, int]]:
    """(service, command, status) of those of this request; of a page, what its desk sent."""
    service, _, command = (request.endpoint or "").partition(".")
    if service == "console" or request.method != "POST" or not command:
        return list(g.get("commands", ()))
    return [(service, command, status)]


class _Standings(Collector):
    """Gauges out of what the services tell when somebody looks."""

    def __init__(self, look: Callable[[], dict[str, Any]]) -> None:
        self._look = look

    def describe(self) -> Iterator[Any]:
        return iter(())  # else a registration would ask the services

    def collect(self) -> Iterator[Any]:
        gauges = _Gauges()
        told = self._look()
        for service, standing in told.items():
            gauges.add("up", "The service answers", standing is not None, service=service)
        answered = {service: standing for service, standing in told.items() if standing}
        for service, standing in answered.items():
            _of_service(gauges, service, standing)
        for service, standing in answered.items():
            _of_consumers(gauges, service, standing, answered)
        if "audit" in answered:
            _of_audit(gauges, answered["audit"])
        return iter(gauges.families.values())


class _Gauges:
    def __init__(self) -> None:
        self.families: dict[str, GaugeMetricFamily] = {}

    def add(self, name: str, about: str, value: float, **labels: str) -> None:
        if name not in self.families:
            self.families[name] = GaugeMetricFamily(f"jianding_{name}", about, labels=list(labels))
        self.families[name].add_metric(list(labels.values()), float(value))


def _of_service(gauges: _Gauges, service: str, standing: dict[str, Any]) -> None:
    gauges.add("parked_events", "Events that wait for an operator", standing["parked"], service=service)
    count, _ = _waiting(standing["rejected"])
    gauges.add("rejected_bodies", "Bodies from the bus that were no events", count, service=service)
    if log := standing["log"]:
        count, age = _waiting(log["unsealed"])
        gauges.add("outbox_events", "Committed and not yet sealed", count, service=service)
        gauges.add("outbox_age_seconds", "Of the oldest of these", age, service=service)
        count, age = _waiting(log["unpublished"])
        gauges.add("relay_lag_events", "Sealed and not yet published", count, service=service)
        gauges.add("relay_lag_seconds", "Since when the oldest of these waits", age, service=service)
        gauges.add("log_events", "Position of the newest sealed event", log["head"], service=service)


def _of_consumers(gauges: _Gauges, service: str, standing: dict[str, Any], answered: dict[str, Any]) -> None:
    for each in standing["consumers"]:
        source = each["source"].rpartition("/")[2]
        if source in answered and answered[source]["log"]:
            lag = max(0, answered[source]["log"]["head"] - each["position"])
            names = {"service": service, "consumer": each["consumer"], "source": each["source"]}
            gauges.add("consumer_lag_events", "Sealed by the source and not yet applied", lag, **names)


def _of_audit(gauges: _Gauges, standing: dict[str, Any]) -> None:
    for each in standing["sources"]:
        if each["seen"]:
            age = _age(each["seen"])
            gauges.add("source_seen_seconds", "Since the source stated its head", age, source=each["source"])
    checkpoint = standing["checkpoint"]
    gauges.add("audit_entries", "Entries of the audit log", checkpoint["size"])
    gauges.add("audit_findings", "Findings that were raised", checkpoint["findings"])
    behind = checkpoint["size"] - checkpoint["published"]
    gauges.add("checkpoint_lag_entries", "Entries in no published checkpoint", behind)
    if checkpoint["cosigned"]:
        gauges.add("checkpoint_age_seconds", "Since it was cosigned", time.time() - checkpoint["cosigned"])
    gauges.add("witness_cosignatures", "Witnesses of that checkpoint", checkpoint["cosigners"])
    if checkpoint["quorum"] is not None:
        gauges.add("witness_quorum", "Witnesses that make a quorum", checkpoint["quorum"])


def _waiting(found: dict[str, Any] | None) -> tuple[int, float]:
    return (found["count"], _age(found["since"])) if found else (0, 0.0)


def _age(stamp: str) -> float:
    return max(0.0, (datetime.now(UTC) - moment(stamp)).total_seconds())
