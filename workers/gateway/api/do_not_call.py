"""`/v1/dnc`: the do-not-call list."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from dispatcher.model.api_key import Scope
from dispatcher.model.do_not_call import InvalidEntry, Who, Wish, end_of, reason_of, scope_of, whom
from dispatcher.model.invalid_job import InvalidJob
from dispatcher.values.regions import parse_region
from workers.gateway.api.authenticator import Operator, Reader
from workers.gateway.api.fields import Fields
from workers.gateway.api.jobs import Unmask, respond
from workers.gateway.api.operations import do_not_call as operations
from workers.gateway.api.services import Services
from workers.gateway.api.strict import json_object
from workers.gateway.api.unmasked import write_down

T = TypeVar("T")
_LIST = "do-not-call"

MOST = 500
"""Numbers in a request, and about as many on a page."""
Region = Annotated[str | None, Query(description="The number is as people there write it.")]


def router(services: Services) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/v1", tags=["do-not-call list"])
    list_, pool, usual = services.store.do_not_call, services.pool, services.region

    @routes.get("/dnc", **operations.LIST)
    async def entries(
        request: Request,
        caller: Reader,
        *,
        number: Annotated[
            str | None,
            Query(description="Only this number's; needs a key with the scope `operate`."),
        ] = None,
        region: Region = None,
        limit: Annotated[int, Query(ge=1, le=MOST, description="About how many on a page.")] = 100,
        cursor: Annotated[str | None, Query(description="The cursor of the page before.")] = None,
        unmask: Unmask = False,
    ) -> Response:
        """List who is on the do-not-call list, in no order, or the entries of one number."""
        if unmask or number is not None:  # by asking for numbers, masked ones could be found out
            caller.require(Scope.OPERATE)
        if number is not None:
            (who,) = _numbers(Fields({"number": number, "region": region}), usual)
            found, after = await pool.run(list_.check, who), None
        else:
            place = None if cursor is None else services.cursors.open(cursor, _LIST, caller.name)
            page = await pool.run(list_.page, place, limit)
            found, after = page.entries, page.cursor
        await write_down(services, request, caller, "do-not-call list", jobs=len(found) * unmask)
        shown = [entry.to_dict(mask=not unmask) for entry in found]
        next_ = None if after is None else services.cursors.seal(after, _LIST, caller.name)
        return respond({"entries": shown, "cursor": next_})

    @routes.post("/dnc", **operations.ADD)
    async def add(request: Request, caller: Operator) -> Response:
        """Put numbers on the list. Jobs that wait for them end as failed/do_not_call."""
        wishes = _wishes(Fields(await json_object(request)), usual)
        done = await pool.run(partial(list_.add, wishes, actor=caller.actor))
        return respond({"answers": done.answers, "calling": done.calling})

    @routes.delete("/dnc", **operations.REMOVE)
    async def remove(
        request: Request,
        caller: Operator,
        *,
        number: Annotated[list[str] | None, Query(description="The numbers, or hashes.")] = None,
        region: Region = None,
        tag: Annotated[str | None, Query(description="Only their entries for this tag.")] = None,
        note: Annotated[str | None, Query(description="Why, for the audit log.")] = None,
    ) -> Response:
        """Take numbers off the list, or with `tag` their entries for this tag alone.

        What is asked for stands in the body, or in the query where a client sends no body.
        """
        query = {"number": number, "region": region, "tag": tag, "note": note}
        fields = Fields(await json_object(request, optional=True) or query)
        fields.no_others("number", "region", "tag", "note")
        scope, why = fields.text("tag", _read(scope_of)), fields.note()
        whose = _numbers(fields, usual)
        how = partial(list_.remove, whose, actor=caller.actor, tag=scope, note=why)
        return respond({"removed": await pool.run(how)})

    return routes


def _wishes(fields: Fields, usual: str | None) -> list[Wish]:
    """Return what a request asks for; `usual` is as of `_numbers`. Raises InvalidJob."""
    fields.no_others("number", "region", "reason", "until", "tag", "keep_number")
    wish = partial(
        Wish,
        reason=fields.text("reason", _read(reason_of)) or "",
        until=fields.any("until", _read(end_of)),
        tag=fields.text("tag", _read(scope_of)),
        keep=fields.flag("keep_number") is not False,
    )
    return [wish(who) for who in _numbers(fields, usual)]


def _read(check: Callable[[Any], T]) -> Callable[[Any], T]:
    """Return a check whose error says what is wrong; the field is named by who asks."""

    def checked(text: Any) -> T:
        try:
            return check(text)
        except InvalidEntry as error:
            raise ValueError(error.problem) from None

    return checked


def _numbers(fields: Fields, usual: str | None) -> list[Who]:
    """Return the numbers or hashes that are named, at least one. `usual` is the region of those
    who name none. Raises InvalidJob.
    """
    region: Any = fields.text("region", parse_region) or usual
    found = fields.texts("number", _read(partial(whom, region=region))) or ()
    if not 1 <= len(found) <= MOST:
        raise InvalidJob([("number", f"give 1 to {MOST} numbers, not {len(found)}")])
    return list(found)
