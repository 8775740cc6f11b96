"""`/v1/alerts`: see alerts, say that one has one, stop their calls, and what those of a week came
to. What monitoring reports comes in by the doors beside it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from dispatcher.alerts.acting import stopped, taken
from dispatcher.alerts.story import story
from dispatcher.alerts.summary import summary
from dispatcher.model.alert import Acknowledgement, AlertState, UnknownAlert
from dispatcher.model.alert_view import view
from dispatcher.store.alert_values import AlertActed
from dispatcher.values.durations import past
from dispatcher.values.masking import mask_text
from dispatcher.values.zones import zone as zone_of
from workers.gateway.api.authenticator import READS, Operator, Reader
from workers.gateway.api.fields import Fields
from workers.gateway.api.jobs import respond
from workers.gateway.api.operations import alerts as operations
from workers.gateway.api.services import Services
from workers.gateway.api.strict import json_object

MOST = 200
LONGEST_NAME = 40
"""Characters of the name of who has an alert, as of an actor."""
_LIST = "alerts"
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def alert_id(id_: Annotated[str, Path(alias="id", description="An alert's id.")]) -> str:
    """Return the id. Raises UnknownAlert for what is no id."""
    if not _ID.fullmatch(id_):
        raise UnknownAlert(id_)
    return id_


AlertId = Annotated[str, Depends(alert_id)]


def router(services: Services) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/v1", tags=["alerts"])
    _add_lists(routes, services)
    _add_summary(routes, services)
    _add_one(routes, services)
    return routes


def _add_lists(routes: APIRouter, services: Services) -> None:
    @routes.get("/alerts", **operations.LIST)
    async def alerts(
        caller: Reader,
        *,
        state: Annotated[
            list[str] | None, Query(description="Alerts in one of these states.")
        ] = None,
        chain: Annotated[str | None, Query(description="Alerts of this chain.")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST, description="The most on a page.")] = 50,
        cursor: Annotated[str | None, Query(description="The cursor of the page before.")] = None,
    ) -> Response:
        """List alerts, newest first, without calls and timelines."""
        states = Fields({"state": state}).texts("state", AlertState)
        cursors, client = services.cursors, caller.name
        place = None if cursor is None else cursors.open(cursor, _LIST, client)
        page = await services.pool.run(
            lambda: services.store.alerts.page(
                states=states or None, chain=chain, limit=limit, cursor=place
            )
        )
        after = None if page.cursor is None else cursors.seal(page.cursor, _LIST, client)
        shown = [view(each, whole=False) for each in page.alerts]
        return respond({"alerts": shown, "cursor": after})


def _add_summary(routes: APIRouter, services: Services) -> None:
    @routes.get("/alerts/summary", dependencies=[READS], **operations.SUMMARY)
    async def of_span(
        *,
        since: Annotated[
            str, Query(description="Reported since: ISO 8601 with zone, or how long ago.")
        ] = "7d",
        until: Annotated[str | None, Query(description="Reported before, in that form.")] = None,
        zone: Annotated[
            str, Query(description="Whose nights are counted, of contacts without a zone.")
        ] = "UTC",
    ) -> Response:
        """Return what alerts came to: how many, how soon somebody had them, who was called."""
        fields = Fields({"since": since, "until": until, "zone": zone})
        begins = fields.text("since", past) or datetime.now(UTC)
        ends = fields.text("until", past) or datetime.now(UTC)
        clock = fields.text("zone", zone_of) or UTC
        found = await services.pool.run(summary, services.store, begins, ends, clock)
        return respond(found.to_dict())


def _add_one(routes: APIRouter, services: Services) -> None:
    store, pool = services.store, services.pool

    @routes.get("/alerts/{id}", dependencies=[READS], **operations.SHOW)
    async def alert(id_: AlertId) -> Response:
        """Return an alert: its calls and what became of them, its timeline, its members, and why
        it stands where it stands.
        """
        return respond((await pool.run(story, store, id_)).to_dict())

    @routes.post("/alerts/{id}/acknowledge", **operations.ACKNOWLEDGE)
    async def acknowledge(request: Request, caller: Operator, id_: AlertId) -> Response:
        """Say that somebody has an alert: nobody else is called for it. With `by` it is they, else
        the key's name. Who has it already stays.
        """
        fields = Fields(await json_object(request, optional=True))
        fields.no_others("by", "note")
        by, note = fields.text("by", name) or caller.actor, fields.note()
        acted = await pool.run(
            lambda: store.alerts.acknowledge(id_, by=by, how=Acknowledgement.HTTP, note=note)
        )
        return _answer(acted, taken(acted))

    @routes.post("/alerts/{id}/cancel", **operations.CANCEL)
    async def cancel(request: Request, caller: Operator, id_: AlertId) -> Response:
        """Stop an alert's calls, though nobody has it."""
        fields = Fields(await json_object(request, optional=True))
        fields.no_others("note")
        note = fields.note()
        acted = await pool.run(lambda: store.alerts.cancel(id_, by=caller.actor, note=note))
        return _answer(acted, stopped(acted))


def _answer(acted: AlertActed, words: str) -> Response:
    told = {"done": acted.done, "what": mask_text(words)}
    return respond({**told, **view(acted.alert)})


def name(text: str) -> str:
    """Return the name of who has an alert. Raises ValueError."""
    plain = " ".join(text.split())
    if not 0 < len(plain) <= LONGEST_NAME or not plain.isprintable():
        raise ValueError(f"a name has 1 to {LONGEST_NAME} printable characters")
    return plain
