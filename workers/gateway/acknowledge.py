"""`/acknowledge/…`: a page with one button, for who was given its link. Only the button acts: mail
programs and chats open links by themselves, by GET.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from dispatcher.alerts.acting import AlertEnded, taken
from dispatcher.alerts.standing import ended, has_it, is_open
from dispatcher.errors import DispatcherError
from dispatcher.model.alert import Acknowledgement, Alert, AlertState, UnknownAlert
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable
from dispatcher.values.alert_links import PREFIX, AlertLinks
from dispatcher.values.callback_urls import Expired, InvalidCallback
from dispatcher.values.masking import mask_text
from workers.gateway.acknowledge_page import page
from workers.gateway.api.alerts import name
from workers.gateway.console.forms import form
from workers.gateway.middleware import Limit
from workers.gateway.problems import Problem

LIMIT = Limit(size=8 * 1024)
NOBODY = "somebody with the link"
"""Who has an alert, where they did not say."""


def routes(links: AlertLinks, store: Store) -> list[BaseRoute]:
    """Return the routes."""

    async def endpoint(request: Request) -> Response:
        return await _answer(request, links, store)

    path = PREFIX + "/{alert}/{expires}/{mac}"
    return [Route(path, endpoint, methods=["GET", "POST"])]


async def _answer(request: Request, links: AlertLinks, store: Store) -> Response:
    parts = request.path_params
    id_ = parts["alert"]
    try:
        now = await run_in_threadpool(store.now)
        links.verify(id_, parts["expires"], parts["mac"], now)
        if request.method == "POST":
            by = _name((await form(request)).one("by"))
            return await run_in_threadpool(_take, store, id_, by)
        return _shown(await run_in_threadpool(store.alerts.get, id_))
    except (DispatcherError, Problem) as error:
        return _refused(error)


def _take(store: Store, id_: str, by: str) -> Response:
    words = taken(store.alerts.acknowledge(id_, by=by, how=Acknowledgement.LINK))
    return page(mask_text(words), good=True)


def _shown(alert: Alert) -> Response:
    what = mask_text(alert.summary or alert.id)
    if alert.state is AlertState.ACKNOWLEDGED:
        return page(f"{what}: {has_it(alert)}", good=True)
    if not is_open(alert) and alert.state is not AlertState.CANCELLED:
        return page(ended(alert))
    many = f" (with {alert.members - 1} more)" if alert.members > 1 else ""
    return page(f"{alert.severity.capitalize()}: {what}{many}", button=True)


def _name(text: str) -> str:
    """Return who says that they have it. Raises Problem."""
    if not text:
        return NOBODY
    try:
        return name(text)
    except ValueError as error:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None


def _refused(error: Exception) -> HTMLResponse:
    """Return the page of what cannot be."""
    if isinstance(error, StoreUnavailable):
        return page("The dispatcher cannot look now: try again in a moment", status=503)
    if isinstance(error, AlertEnded):
        return page(mask_text(str(error)), status=HTTPStatus.CONFLICT)
    if isinstance(error, Expired):
        return page("This link has expired: use the console", status=HTTPStatus.GONE)
    if isinstance(error, (InvalidCallback, UnknownAlert)):
        return page("There is no such page, or not any more", status=HTTPStatus.NOT_FOUND)
    if isinstance(error, Problem):
        return page(str(error.detail), status=error.status_code)
    raise error
