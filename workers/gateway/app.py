"""The gateway's ASGI app, built in a function from the settings."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.routing import BaseRoute

from config.settings import Settings
from dispatcher import __version__
from dispatcher.alerts.alerting import Alerting
from dispatcher.alerts.dial_in import DialIns, Records
from dispatcher.alerts.spoken import HowTo
from dispatcher.client.messages import Messenger
from dispatcher.store import Store
from dispatcher.tracing import spans
from dispatcher.values import dial_in_urls
from dispatcher.values.alert_links import PREFIX as LINKS
from dispatcher.values.callback_urls import PREFIX, Signer
from workers.engine.store_clock import StoreClock
from workers.engine.waker import Waker
from workers.gateway import (
    acknowledge,
    callbacks,
    dial_in,
    health,
    metrics,
    problems,
    reference,
    sharing,
)
from workers.gateway.api import (
    account,
    actions,
    alerts,
    bulk,
    campaigns,
    chains,
    do_not_call,
    jobs,
    limits,
    reports,
)
from workers.gateway.api.authenticator import Authenticator
from workers.gateway.api.services import Services
from workers.gateway.brake import Brake
from workers.gateway.callback_writer import CallbackWriter
from workers.gateway.console import router as console
from workers.gateway.console.live import Live
from workers.gateway.counts import Counts
from workers.gateway.latency import Latency, LatencyOfAll, Timed
from workers.gateway.member import Member
from workers.gateway.middleware import Limit, Middleware
from workers.gateway.traced import Traced


def create_gateway(
    settings: Settings,
    *,
    store: Store | None = None,
    messenger: Messenger | None = None,
    member: Member | None = None,
) -> FastAPI:
    """Return the app, or that of one of several processes. `store` and `messenger` are made from
    the settings unless given.
    """
    store = store or Store.from_url(settings.records, namespace=settings.namespace)
    messenger = messenger or Messenger.to_broker(settings.broker, settings.namespace)
    writer = CallbackWriter(store.callbacks, messenger.apply_reports, store.replicas.needed)
    app = FastAPI(
        title="voice-dispatcher",
        version=__version__,
        docs_url=None,  # its page loads scripts from elsewhere, which our headers forbid
        redoc_url=None,
        redirect_slashes=False,  # it would lead to whatever name the client gave, and out of TLS
        lifespan=lambda _: writer.open(),
        # Its spans would hold the paths, and so the secrets of callbacks: ours are in traced.py.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.counts = counts = member.counts() if member else Counts()
    app.state.brake = brake = Brake(processes=member.of if member else 1)
    latency = LatencyOfAll(member.folder, member.number) if member else Latency()
    app.state.live = live = Live(counts)
    headers = _transport_headers(settings)
    app.add_middleware(Middleware, limits=_limits(settings), headers=headers, brake=brake)
    app.add_middleware(Timed, latency=latency)
    if (telling := spans()).on:
        app.add_middleware(Traced, spans=telling)
    problems.register(app)
    waker = Waker(store, messenger)
    shared = sharing.of_settings(settings, counts)
    services = Services(store, messenger, waker, shared, settings.region)
    app.state.authenticator = Authenticator(services.keys, services.pool, shared.requests)
    app.router.routes.extend(_routes(settings, services, messenger, latency))
    reference.register(app)
    if settings.console:
        app.router.routes.extend(console.routes(settings, store, messenger, live, counts))
    if links := settings.alert_links:
        app.router.routes.extend(acknowledge.routes(links, store))
    if settings.secret_key:
        provider = settings.registration.callbacks(settings.of_provider)
        signer, clock = Signer(settings.secret_keys), StoreClock(store.now)
        app.router.routes.extend(callbacks.router(signer, writer, provider, clock).routes)
        app.router.routes.extend(dial_in.router(_asked(settings, services, brake)).routes)
    return app


def _routes(
    settings: Settings, services: Services, messenger: Messenger, latency: Latency
) -> list[BaseRoute]:
    """Return the routes of the API, in one list: FastAPI looks through each router that is included
    twice. That which is asked most is the first.
    """
    routers = [
        jobs.router(services),
        health.router(services.store, messenger),
        reports.router(services, _alerting(settings, services)),
        *(
            part.router(services)
            for part in (bulk, actions, account, campaigns, do_not_call, alerts, chains)
        ),
        metrics.router(services, settings.metrics, latency),
    ]
    return [route for router in routers for route in router.routes]


def _asked(settings: Settings, services: Services, brake: Brake) -> dial_in.Asked:
    """Return what answers people who call."""
    records = Records.of(services.store)
    return dial_in.Asked(
        settings.secret_keys,
        settings.registration.dial_ins(settings.of_provider),
        DialIns(records, settings.lang, settings.dial_in_unknown),
        services.pool,
        brake,
    )


def _alerting(settings: Settings, services: Services) -> Alerting:
    """Return what takes reports of monitoring in."""
    how_to = HowTo(number=settings.dial_in_number)
    return Alerting(services.store, services.nudge, how_to_acknowledge=how_to)


def _limits(settings: Settings) -> dict[str, Limit]:
    """Return where a body may be larger or slower than usual, or must be smaller, by path."""
    own = limits.limits(settings.bulk_bytes)
    provider = {PREFIX: callbacks.LIMIT, dial_in_urls.PREFIX: dial_in.LIMIT}
    return {**provider, LINKS: acknowledge.LIMIT, **console.LIMITS, **own}


def _transport_headers(settings: Settings) -> dict[str, str]:
    """Return what tells browsers to keep to https, where that is how the gateway is reached."""
    encrypted = (settings.public_url or "").startswith("https://") or settings.gateway_tls_cert
    return {"Strict-Transport-Security": "max-age=31536000"} if encrypted else {}
