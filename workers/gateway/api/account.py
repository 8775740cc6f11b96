"""`/v1/stats`, `/v1/balance`, `/v1/pause`, `/v1/resume`: the account as a whole."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from dispatcher import statistics
from dispatcher.model.campaign import campaign_of_tag
from dispatcher.model.invalid_job import InvalidJob
from dispatcher.model.states import Priority
from dispatcher.model.tags import tag
from dispatcher.store import Store
from dispatcher.store.holds import PauseScope
from dispatcher.values.masking import mask_all
from workers.gateway.api.authenticator import READS, Operator
from workers.gateway.api.fields import Fields
from workers.gateway.api.jobs import respond
from workers.gateway.api.operations import account as operations
from workers.gateway.api.services import Services
from workers.gateway.api.strict import json_object


def router(services: Services) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/v1", tags=["account"])
    store, pool = services.store, services.pool

    @routes.get("/stats", dependencies=[READS], **operations.STATS)
    async def stats(
        *,
        tag: Annotated[
            str | None, Query(description="The tag of a campaign, which is told as well.")
        ] = None,
    ) -> Response:
        """Return the account now: jobs by state, rate, lines, holds, credit."""
        return respond(await pool.run(_statistics, store, tag))

    @routes.get("/balance", dependencies=[READS], **operations.BALANCE)
    async def balance() -> Response:
        """Return the account's credit and how long it lasts."""
        return respond(mask_all(await pool.run(statistics.balance, store)))

    @routes.post("/pause", **operations.PAUSE)
    async def pause_(request: Request, caller: Operator) -> Response:
        """Stop new calls, or those with a tag or of a priority, until they are resumed."""
        fields = Fields(await json_object(request, optional=True))
        scope, note = _scope(fields), fields.note()
        changed = await pool.run(store.holds.pause, scope, actor=caller.actor, note=note)
        told = partial(statistics.after_pausing, store, scope, changed=changed)
        return respond(await pool.run(told))

    @routes.post("/resume", **operations.RESUME)
    async def resume_(request: Request, caller: Operator) -> Response:
        """End a pause, or with `unusual` the hold for unusual calls. Held jobs are dialled in
        their order, within the rate limit.
        """
        fields = Fields(await json_object(request, optional=True))
        scope, note = _resumed(fields), fields.note()
        changed = await pool.run(store.holds.resume, scope, actor=caller.actor, note=note)
        services.nudge()
        told = partial(statistics.after_pausing, store, scope, changed=changed)
        return respond(await pool.run(told))

    return routes


def _statistics(store: Store, tag_: str | None) -> Any:
    """Return the account, and with a campaign's tag that campaign."""
    name = Fields({"tag": tag_}).text("tag", campaign_of_tag)
    found = mask_all(statistics.statistics(store))
    return found if name is None else found | {"campaign": statistics.campaign(store, name)}


def _resumed(fields: Fields) -> PauseScope:
    if not fields.flag("unusual"):
        return _scope(fields, "unusual")
    if fields.text("tag", str) is not None or fields.text("priority", str) is not None:
        raise InvalidJob([("unusual", "give it without a tag and a priority")])
    fields.no_others("unusual", "tag", "priority", "note")
    return PauseScope(unusual=True)


def _scope(fields: Fields, *others: str) -> PauseScope:
    only_tag, priority = fields.text("tag", tag), fields.text("priority", Priority)
    fields.no_others("tag", "priority", "note", *others)
    if only_tag is not None and priority is not None:
        raise InvalidJob([("tag", "give a tag or a priority, not both")])
    return PauseScope(only_tag, priority)
