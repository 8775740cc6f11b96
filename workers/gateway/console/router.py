"""The console's addresses, and what stands behind each."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from config.settings import Settings
from dispatcher.client.messages import Messenger
from dispatcher.store import Store
from workers.gateway.console.actions import Acts
from workers.gateway.console.audit import Audit
from workers.gateway.console.context import ConsoleContext, Endpoint
from workers.gateway.console.holding import Holding
from workers.gateway.console.jobs import Jobs
from workers.gateway.console.login import Login
from workers.gateway.console.overview import Overview
from workers.gateway.console.pages import ROOT
from workers.gateway.middleware import Limit
from workers.gateway.problems import Problem

LIMITS = {ROOT: Limit(size=256 * 1024)}
"""A page of ticked jobs is a few kilobytes."""


def routes(settings: Settings, store: Store, messenger: Messenger) -> list[BaseRoute]:
    """Return the routes."""
    desk = ConsoleContext.of(settings, store, messenger)
    login, overview, jobs = Login(desk), Overview(desk), Jobs(desk)
    acts, holding, audit = Acts(desk), Holding(desk), Audit(desk)
    look, act = desk.looking, desk.acting
    return [
        _get("", look(overview.show)),
        _get("/static/{name}", _assets(desk)),
        _get("/login", login.show),
        _post("/login", login.enter),
        _post("/logout", act(login.leave, reading=True)),
        _get("/find", look(jobs.find)),
        _get("/jobs", look(jobs.list)),
        _get("/jobs/{id}", look(jobs.one)),
        _get("/acts", look(acts.list)),
        _post("/acts", act(acts.begin)),
        _post("/acts/propose", act(acts.propose)),
        _get("/acts/{id}", look(acts.report)),
        _post("/acts/{id}/stop", act(acts.stop)),
        _post("/acts/{id}/pause", act(acts.pause)),
        _post("/pause", act(holding.pause)),
        _post("/resume", act(holding.resume)),
        _post("/look", act(holding.look)),
        _get("/audit", look(audit.show)),
        Route(f"{ROOT}/{{path:path}}", _nowhere(desk), methods=["GET", "POST"]),
    ]


def _get(path: str, endpoint: Endpoint) -> Route:
    return Route(ROOT + path, endpoint, methods=["GET"])


def _post(path: str, endpoint: Endpoint) -> Route:
    return Route(ROOT + path, endpoint, methods=["POST"])


def _assets(desk: ConsoleContext) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        found = desk.pages.asset(request.path_params["name"])
        return found or desk.refusal(Problem(HTTPStatus.NOT_FOUND, "there is no such file"))

    return endpoint


def _nowhere(desk: ConsoleContext) -> Endpoint:
    async def endpoint(_: Request) -> Response:
        return desk.refusal(Problem(HTTPStatus.NOT_FOUND, "there is no such page"))

    return endpoint
