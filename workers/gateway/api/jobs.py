"""`/v1/jobs`: ask for calls, and see what became of them."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic_core import to_json
from starlette.responses import Response

from dispatcher.client.dispatcher import Dispatcher
from dispatcher.model.api_key import Scope
from dispatcher.model.filters import Filter
from dispatcher.model.invalid_job import InvalidJob
from dispatcher.model.request import JobRequest
from dispatcher.store import Store
from dispatcher.store.search import Page
from dispatcher.store.values import UnknownJob
from dispatcher.values.masking import mask_text
from dispatcher.why import why as explain
from workers.gateway.api.accepting import Asked
from workers.gateway.api.authenticator import Anybody, Caller, Enqueuer, require_rights
from workers.gateway.api.fields import Fields
from workers.gateway.api.filters import NAMES, filter_of, key_of
from workers.gateway.api.operations import jobs as operations
from workers.gateway.api.services import Services
from workers.gateway.api.straight import Straight
from workers.gateway.api.strict import idempotency_key, json_object
from workers.gateway.api.unmasked import write_down
from workers.gateway.traced import below, traceparent_of

LONGEST_WAIT = 60.0
MOST = 500
JOBS = "jobs"
"""The list that cursors of this route are of."""
_ID = re.compile(r"[a-z2-7]{16}")


def job_id(id_: Annotated[str, Path(alias="id", description="A job's id.")]) -> str:
    """Return the id. Raises UnknownJob for what cannot be one."""
    if not _ID.fullmatch(id_):
        raise UnknownJob(mask_text(id_))
    return id_


JobId = Annotated[str, Depends(job_id)]
Unmask = Annotated[
    bool, Query(description="Show whole numbers and texts; needs a key with the scope `operate`.")
]


def respond(content: Any, status: int = HTTPStatus.OK, **headers: str) -> Response:
    """Return an answer in JSON."""
    return Response(to_json(content), status, headers=headers, media_type="application/json")


def router(services: Services) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/v1", tags=["jobs"])
    store, pool = services.store, services.pool

    async def enqueue(request: Request, caller: Enqueuer) -> Response:
        """Ask for a call or a conference. With a key it is safe to send again."""
        dispatcher = services.dispatcher(caller)
        fields = below(traceparent_of(request), await json_object(request))
        asked = request_of(dispatcher, fields, idempotency_key(request))
        require_rights(caller.key, asked)
        job, new = await services.accepting.ask(Asked(dispatcher, asked))
        status = HTTPStatus.ACCEPTED if new else HTTPStatus.OK
        warned = {"warnings": [job.misfit]} if job.misfit else {}
        content = {"new": new, **warned, **job.to_dict()}
        return respond(content, status, Location=f"/v1/jobs/{job.id}")

    routes.add_api_route(
        "/jobs", enqueue, methods=["POST"], route_class_override=Straight, **operations.ENQUEUE
    )

    @routes.get("/jobs", **operations.LIST)
    async def jobs(
        request: Request,
        caller: Anybody,
        *,
        limit: Annotated[int, Query(ge=1, le=MOST, description="The most jobs on a page.")] = 50,
        cursor: Annotated[str | None, Query(description="The cursor of the page before.")] = None,
        unmask: Unmask = False,
    ) -> Response:
        """List jobs, newest first. A page may be short or empty and still have a next page."""
        if unmask:
            caller.require(Scope.OPERATE)
        fields = _query(request)
        filter_, key = filter_of(fields, caller), key_of(fields, caller)
        found = await pool.run(
            _found, services, caller, filter_, key=key, limit=limit, cursor=cursor
        )
        shown = [caller.view(job, unmask=unmask) for job in found.jobs]
        await write_down(services, request, caller, str(filter_), jobs=len(shown) * unmask)
        return respond({"jobs": shown, "cursor": found.cursor})

    @routes.get("/jobs/{id}", **operations.JOB)
    async def job(
        request: Request,
        caller: Anybody,
        id_: JobId,
        *,
        wait: Annotated[
            float,
            Query(
                ge=0, le=LONGEST_WAIT, description="Wait up to so many seconds for the job to end."
            ),
        ] = 0,
        unmask: Unmask = False,
    ) -> Response:
        """Return a job now, or with `wait` as soon as it has ended."""
        if unmask:  # before it is looked for: the answer must not tell whether there is such a job
            caller.require(Scope.OPERATE)
        found = await pool.run(store.jobs.get, id_)
        caller.view(found, unmask=unmask)  # who may not see it may not wait for it either
        if wait and not found.terminal:
            found = await services.ended(caller.key, id_, wait, request.is_disconnected)
        await write_down(services, request, caller, f"job:{id_}", jobs=int(unmask))
        return respond(caller.view(found, unmask=unmask))

    @routes.get("/jobs/{id}/why", **operations.WHY)
    async def why(caller: Anybody, id_: JobId) -> Response:
        """Say why a job has not been called yet, and what happens next."""
        found = await pool.run(lambda: explain(store, store.jobs.get(id_)))
        caller.view(found.job)  # who may not see it learns nothing of it
        return respond(found.to_dict(mask=not caller.owns(found.job)))

    return routes


def _found(
    services: Services,
    caller: Caller,
    filter_: Filter,
    *,
    key: str | None,
    limit: int,
    cursor: str | None,
) -> Page:
    """Return a page, whose cursor tells nothing. Raises InvalidCursor, InvalidJob."""
    if key is not None:
        return _of_key(services.store, key, filter_, cursor, caller)
    cursors, client = services.cursors, caller.name
    place = None if cursor is None else cursors.open(cursor, JOBS, client)
    found = services.store.search.page(filter_, limit, place)
    after = None if found.cursor is None else cursors.seal(found.cursor, JOBS, client)
    return Page(found.jobs, after)


def _of_key(store: Store, key: str, filter_: Filter, cursor: str | None, caller: Caller) -> Page:
    """Return the jobs of an idempotency key: the client's own, and for who sees all those of any
    producer. Raises InvalidJob.
    """
    if cursor is not None:
        raise InvalidJob([("cursor", "a search by key has one page: leave it out")])
    scopes = {caller.name, *(["", *store.api_keys.clients()] if caller.sees_all else [])}
    return Page([job for job in store.jobs.find(key, scopes) if filter_.matches(job)], None)


def _query(request: Request) -> Fields:
    """Return the filter's part of the query. Raises InvalidJob for a part that comes twice."""
    query = request.query_params
    names = (*NAMES, "key")
    found: dict[str, Any] = {name: query.getlist(name) for name in names if name in query}
    twice = [name for name, values in found.items() if name != "state" and len(values) > 1]
    if twice:
        raise InvalidJob([(name, "give it once") for name in twice])
    return Fields({n: values if n == "state" else values[0] for n, values in found.items()})


def request_of(dispatcher: Dispatcher, fields: dict[str, Any], key: str | None) -> JobRequest:
    """Return what is asked for; `key` is the header's. Raises InvalidJob."""
    own = fields.get("key")
    if key is not None and own is not None and own != key:
        raise InvalidJob([("key", "it differs from the header Idempotency-Key: give only one")])
    return dispatcher.request(fields if key is None else {**fields, "key": key})
