"""The console's addresses, and what stands behind each."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config.settings import Settings
from dispatcher.client.messages import Messenger
from dispatcher.store import Store
from workers.gateway.console.actions import Actions
from workers.gateway.console.alerts import Alerts
from workers.gateway.console.audit import Audit
from workers.gateway.console.campaigns import Campaigns
from workers.gateway.console.context import ConsoleContext, Endpoint, redirect
from workers.gateway.console.do_not_call import DoNotCall
from workers.gateway.console.exports import Exports
from workers.gateway.console.finding import Finding
from workers.gateway.console.holding import Holding
from workers.gateway.console.jobs import Jobs
from workers.gateway.console.live import Live
from workers.gateway.console.login import Login
from workers.gateway.console.on_call import OnCallPages
from workers.gateway.console.overview import Overview
from workers.gateway.console.pages import ROOT
from workers.gateway.console.security import Security
from workers.gateway.console.sessions import Visitor
from workers.gateway.console.zone import TimeZone
from workers.gateway.counts import Counts
from workers.gateway.middleware import Limit
from workers.gateway.problems import Problem

LIMITS = {ROOT: Limit(size=256 * 1024)}
"""A page of ticked jobs is a few kilobytes."""


def routes(
    settings: Settings, store: Store, messenger: Messenger, live: Live, counts: Counts
) -> list[BaseRoute]:
    """Return the routes."""
    context = ConsoleContext.of(settings, store, messenger, live)
    login, overview, jobs = Login(context), Overview(context), Jobs(context)
    actions, holding, audit = Actions(context), Holding(context), Audit(context)
    campaigns, alerts, zone = Campaigns(context), Alerts(context), TimeZone(context)
    on_call, do_not_call = OnCallPages(context), DoNotCall(context)
    read, write = context.reading, context.writing
    return [
        _get("", read(overview.show)),
        _get("/static/{name}", _assets(context)),
        _get("/login", login.show),
        _post("/login", login.enter),
        _post("/logout", write(login.leave, reading=True)),
        _get("/time-zone", read(zone.show)),
        _post("/time-zone", write(zone.choose, reading=True)),
        _get("/find", read(Finding(context).find)),
        _get("/jobs", read(jobs.list)),
        _get("/jobs/{id}", read(jobs.one)),
        _get("/alerts", read(alerts.list)),
        _get("/alerts/{id}", read(alerts.one)),
        _post("/alerts/{id}/acknowledge", write(alerts.acknowledge)),
        _post("/alerts/{id}/cancel", write(alerts.cancel)),
        _get("/on-call", read(on_call.list)),
        _get("/on-call/chains/{name}", read(on_call.chain)),
        _get("/on-call/rotas/{name}", read(on_call.rota)),
        _post("/on-call/rotas/{name}/swap", write(on_call.swap)),
        _post("/on-call/rotas/{name}/end-swap", write(on_call.end_swap)),
        _get("/campaigns", read(campaigns.list)),
        _get("/campaign.csv", Exports(context, counts).campaign),
        _get("/campaigns/{name:path}", read(campaigns.one)),
        _post("/jobs/{id}/do-not-call", write(jobs.never_again)),
        _get("/actions", read(actions.list)),
        _post("/actions", write(actions.begin)),
        _post("/actions/preview", write(actions.create)),
        _get("/actions/preview", read(_to_jobs)),
        _get("/actions/{id}", read(actions.report)),
        _post("/actions/{id}/stop", write(actions.stop)),
        _post("/actions/{id}/pause", write(actions.pause)),
        _post("/pause", write(holding.pause)),
        _post("/resume", write(holding.resume)),
        _post("/balance-check", write(holding.check_balance)),
        _get("/do-not-call", read(do_not_call.list)),
        _post("/do-not-call", write(do_not_call.add)),
        _post("/do-not-call/look-up", write(do_not_call.look_up)),
        _post("/do-not-call/remove", write(do_not_call.remove)),
        _get("/audit", read(audit.show)),
        _get("/security-log", read(Security(context).show)),
        Route(f"{ROOT}/{{path:path}}", _nowhere(context), methods=["GET", "POST"]),
    ]


def _get(path: str, endpoint: Endpoint) -> Route:
    return Route(ROOT + path, endpoint, methods=["GET"])


def _post(path: str, endpoint: Endpoint) -> Route:
    return Route(ROOT + path, endpoint, methods=["POST"])


def _to_jobs(_request: Request, _visitor: Visitor) -> Response:
    """Go to where previews are asked for: who had to log in meanwhile comes back by the address."""
    return redirect(f"{ROOT}/jobs")


def _assets(context: ConsoleContext) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        found = context.pages.asset(request.path_params["name"])
        return found or context.refusal(Problem(HTTPStatus.NOT_FOUND, "there is no such file"))

    return endpoint


def _nowhere(context: ConsoleContext) -> Endpoint:
    def lost() -> Response:
        remedy = "check the address, or go on from the overview"
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such page", remedy=remedy)

    async def endpoint(request: Request) -> Response:
        return await context.answer(request, lost)

    return endpoint
