"""`POST /v1/alerts/{source}`: what monitoring reports, in the words of each program."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from dispatcher.alerts.alerting import Alerting
from dispatcher.alerts.sources.reading import Asked, Reading, Refused
from dispatcher.alerts.sources.registry import SOURCES
from dispatcher.model.alert import AlertEvent, InvalidAlert
from dispatcher.store.alert_values import Recorded
from workers.gateway import problems
from workers.gateway.api.authenticator import Reporter
from workers.gateway.api.jobs import respond
from workers.gateway.api.operations import reports as operations
from workers.gateway.api.report_route import keep, remember, report_route
from workers.gateway.api.services import Services
from workers.gateway.api.strict import NotJson, not_json, value_of
from workers.gateway.problems import Problem
from workers.gateway.traced import traceparent_of

OTHER_METHODS = ["GET", "HEAD", "PUT", "PATCH", "DELETE"]
TOLD = 20
"""Refused alerts of one report that are named in an answer."""


def router(services: Services, alerting: Alerting) -> APIRouter:
    """Return the routes, a pair for each source: with a slash behind it as well, since a redirect
    would lose the report (some programs follow it with a GET, and count that as delivered).
    """
    routes = APIRouter(prefix="/v1", tags=["alerts"], route_class=report_route(services))
    for source in SOURCES:
        report = _report(services, alerting, source)
        path = f"/alerts/{source}"
        for each, shown in ((path, True), (f"{path}/", False)):
            how = {**operations.report(source), "include_in_schema": shown}
            routes.add_api_route(each, report, methods=["POST"], **how)
            routes.add_api_route(each, _post_only, methods=OTHER_METHODS, include_in_schema=False)
    return routes


async def _post_only() -> Response:
    """Refuse: nothing that was not taken in may look as if it were."""
    raise Problem(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "alerts are reported with POST",
        remedy="check the address: it may be the end of a redirect, which loses the alert",
        headers={"Allow": "POST"},
    )


def _report(services: Services, alerting: Alerting, source: str) -> Any:
    """Return the route of a source."""

    async def report(request: Request, caller: Reporter) -> Response:
        remember(request, caller.name)
        body, query = await request.body(), dict(request.query_params)
        trace = traceparent_of(request)
        return await services.pool.run(take_in, body, query, caller.name, trace)

    def take_in(body: bytes, query: dict[str, str], name: str, trace: str | None) -> Response:
        found = _read(source, body, query)
        events = [replace(of(event, name), traceparent=trace) for event in found.events]
        recorded = alerting.receive(events, actor=name)
        if found.refused:
            why = f"{len(found.refused)} of its alerts: {found.refused[0].why}"
            keep(services.store, source, why, sender=name, many=len(found.refused))
        return respond(_answer(recorded, found), HTTPStatus.ACCEPTED)

    report.__doc__ = operations.about(source)
    return report


def of(event: AlertEvent, name: str) -> AlertEvent:
    """Return an alert of the monitoring that has this name, as its key says.

    Two that know nothing of each other may know different alerts by the same labels; a pair that
    backs each other up shares its configuration, and so the name.
    """
    return replace(event, fingerprint=f"{name}/{event.fingerprint}")


def _read(source: str, body: bytes, query: dict[str, str]) -> Reading:
    """Return what a body says. Raises Problem where there is no alert in it."""
    try:
        found = SOURCES[source](value_of(body), Asked(datetime.now(UTC), query))
    except NotJson as error:
        raise not_json(str(error)) from None
    except InvalidAlert as error:
        raise _unreadable(str(error)) from None
    if found.refused and not found.events:
        raise _unreadable(found.refused[0].why, found.refused)
    return found


def _unreadable(why: str, refused: tuple[Refused, ...] = ()) -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"nothing in it is an alert: {why}",
        remedy="send what the recipe for this program says",
        faults=[(_place(each), each.why) for each in refused[:TOLD]],
    )


def _place(refused: Refused) -> str:
    return "alerts" if refused.alert is None else f"alerts.{refused.alert}"


def _answer(recorded: list[Recorded], found: Reading) -> dict[str, Any]:
    told = [{"field": _place(each), "detail": each.why} for each in found.refused[:TOLD]]
    problem = Problem(HTTPStatus.OK, "", faults=[(e["field"], e["detail"]) for e in told])
    return {
        "alerts": [
            {"id": each.id or None, "what": each.what, "state": each.state, "bundle": each.told_by}
            for each in recorded
        ],
        "refused": problems.members(problem).get("errors", []),
        "ignored": found.ignored,
    }
