"""Reports an alert from the command line: again and again while nobody takes it."""

from __future__ import annotations

import time

import typer

from dispatcher.cli import connection
from dispatcher.cli.gateway_reports import Gateway, GatewayAway
from dispatcher.cli.person import actor
from dispatcher.model.alert import AlertEvent
from dispatcher.store.alert_values import Recorded
from dispatcher.store.errors import StoreUnavailable

_PAUSES = (0.5, 1.0, 2.0)
"""Seconds between tries; the last one goes on."""


def report(
    context: typer.Context, event: AlertEvent, within: float, gateway: Gateway | None = None
) -> Recorded:
    """Report an alert, in Redis or through a gateway. Tries for so many seconds: most programs
    report just once. Raises StoreUnavailable, StoreUnsuitable, NoDispatcher, NotReported.
    """
    until = time.monotonic() + within
    pauses, pause = iter(_PAUSES), _PAUSES[-1]
    while True:
        try:
            return gateway.report(event) if gateway else _record(context, event)
        except (StoreUnavailable, GatewayAway):
            pause = next(pauses, pause)
            if time.monotonic() + pause > until:
                raise
            time.sleep(pause)


def _record(context: typer.Context, event: AlertEvent) -> Recorded:
    from dispatcher.alerts.recording import record  # noqa: PLC0415 - `run` starts its command first

    (recorded,) = record(connection.dispatcher(context).store, [event], actor=actor())
    return recorded
