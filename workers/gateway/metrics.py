"""`GET /metrics`: how things stand, for Prometheus; read from the store at each scrape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector
from starlette.responses import Response

from dispatcher import __version__
from dispatcher.errors import DispatcherError
from dispatcher.model.api_key import Scope
from dispatcher.problems.catalogue import Name
from dispatcher.statistics import statistics
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.values import Room
from workers.gateway.api.authenticator import let_in
from workers.gateway.api.services import Services
from workers.gateway.latency import Latency
from workers.gateway.metric_kinds import PREFIX, Found
from workers.gateway.metric_table import METRICS, PROBLEM

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Family = GaugeMetricFamily | CounterMetricFamily | HistogramMetricFamily


class Standing(Collector):
    """Collects what one look at the store told; None: Redis did not answer."""

    def __init__(self, found: Found | None) -> None:
        self._found = found

    def collect(self) -> Iterator[Family]:
        info = GaugeMetricFamily(PREFIX + "info", "The version.", labels=("version",))
        info.add_metric((__version__,), 1)
        up = int(self._found is not None)
        yield info
        yield GaugeMetricFamily(PREFIX + "redis_up", "1: Redis answers.", value=up)
        if self._found is None:
            yield PROBLEM.family({"problems": [{"name": Name.REDIS}]})
        else:
            yield from (metric.family(self._found) for metric in METRICS)


def exposition(store: Store, room: Room, latency: Latency) -> bytes:
    """Return the metrics as Prometheus reads them; `room` is what each client may have waiting."""
    try:
        return _exposed(
            Standing(
                {
                    **statistics(store),
                    "room": room,
                    "clients": store.clients.waiting(),
                    "memory": store.server.memory(),
                }
            ),
            latency,
        )
    except DispatcherError:
        return _exposed(Standing(None))


def _exposed(*collectors: Collector) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    for each in collectors:
        registry.register(each)
    return generate_latest(registry)


def router(
    services: Services, access: Literal["auto", "open", "key"], latency: Latency
) -> APIRouter:
    """Return the route. `auto`: open until an API key is made; then a key that may read."""
    routes = APIRouter()
    store, keys, pool = services.store, services.keys, services.pool

    @routes.get("/metrics", include_in_schema=False)
    async def metrics(request: Request) -> Response:
        try:
            if access == "key" or (access == "auto" and await pool.run(keys.any)):
                await let_in(request, Scope.READ, counted=False)
        except StoreUnavailable:
            # Which tells of nothing else.
            return Response(_exposed(Standing(None)), media_type=MEDIA_TYPE)
        told = await pool.run(exposition, store, services.sharing.room, latency)
        return Response(told, media_type=MEDIA_TYPE)

    return routes
