"""Acting on jobs: one by its id, or many by a preview that is then begun; and who did what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from dispatcher.model.api_key import Scope
from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.filters import Filter
from dispatcher.model.invalid_job import InvalidJob
from dispatcher.model.job import iso
from dispatcher.store import Store
from dispatcher.store.audit import AuditEntry
from dispatcher.values.durations import past, seconds
from workers.gateway.api.authenticator import READS, Caller, Canceller, Operator
from workers.gateway.api.fields import Fields
from workers.gateway.api.filters import NAMES, filter_of
from workers.gateway.api.jobs import JobId, Unmask, respond
from workers.gateway.api.operations import account, bulk_actions
from workers.gateway.api.services import Services
from workers.gateway.api.strict import json_object
from workers.gateway.api.unmasked import write_down
from workers.gateway.problems import other_action

MOST = 1000
ActionId = Annotated[
    str, Path(alias="id", description="The id of the bulk action, from its preview.")
]


def router(services: Services) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/v1", tags=["actions"])
    _add_cancel(routes, services)
    for kind in (BulkActionKind.RETRY, BulkActionKind.REACHED):
        _add_single(routes, services, kind)
    for kind in (BulkActionKind.RETRY, BulkActionKind.CANCEL):
        _add_many(routes, services, kind)
    _add_actions(routes, services)
    _add_audit(routes, services)
    return routes


# -- one -----------------------------------------------------------------------------------


def _add_single(routes: APIRouter, services: Services, kind: BulkActionKind) -> None:
    store, pool = services.store, services.pool

    @routes.post(f"/jobs/{{id}}/{kind}", description=_SINGLE[kind], **bulk_actions.SINGLE[kind])
    async def single(
        request: Request, caller: Operator, id_: JobId, *, unmask: Unmask = False
    ) -> Response:
        do = _action(kind, store, Fields(await json_object(request, optional=True)))
        await pool.run(do, id_, caller.actor)
        services.nudge()
        return await _stands(request, services, caller, id_, unmask=unmask)


def _add_cancel(routes: APIRouter, services: Services) -> None:
    kind, store, pool = BulkActionKind.CANCEL, services.store, services.pool

    @routes.post(f"/jobs/{{id}}/{kind}", description=_SINGLE[kind], **bulk_actions.SINGLE[kind])
    async def cancel(
        request: Request, caller: Canceller, id_: JobId, *, unmask: Unmask = False
    ) -> Response:
        if unmask:  # before anything is done
            caller.require(Scope.OPERATE)
        do = _action(kind, store, Fields(await json_object(request, optional=True)))
        caller.require_acting(await pool.run(store.jobs.get, id_))
        await pool.run(do, id_, caller.actor)
        services.nudge()
        return await _stands(request, services, caller, id_, unmask=unmask)


async def _stands(
    request: Request, services: Services, caller: Caller, id_: str, *, unmask: bool
) -> Response:
    """Answer with the job as it stands after an action."""
    await write_down(services, request, caller, f"job:{id_}", jobs=int(unmask))
    job = await services.pool.run(services.store.jobs.get, id_)
    return respond(caller.view(job, unmask=unmask))


_SINGLE = {
    BulkActionKind.RETRY: "Dial a job again that reached nobody. Its history is kept.",
    BulkActionKind.CANCEL: "Cancel a job that is not dialled yet; without `operate`, one of the"
    " client's own.",
    BulkActionKind.REACHED: "Mark a job of unknown outcome as reached: somebody has asked the"
    " person.",
}


def _action(kind: BulkActionKind, store: Store, fields: Fields) -> Callable[[str, str], None]:
    """Return what is to be done to a job by an actor. Raises InvalidJob."""
    note = fields.note()
    if kind is BulkActionKind.RETRY:
        expires, uncertain = fields.any("expires", seconds), bool(fields.flag("uncertain"))
        fields.no_others("note", "expires", "uncertain")
        return lambda id_, actor: store.jobs.retry(
            id_, actor=actor, note=note, expires=expires, uncertain=uncertain
        )
    fields.no_others("note")
    do = store.jobs.cancel if kind is BulkActionKind.CANCEL else store.jobs.mark_reached
    return lambda id_, actor: do(id_, actor=actor, note=note)


# -- many ----------------------------------------------------------------------------------


def _add_many(routes: APIRouter, services: Services, kind: BulkActionKind) -> None:
    pool = services.pool

    @routes.post(f"/{kind}", description=_MANY[kind], **bulk_actions.MANY[kind])
    async def many(request: Request, caller: Operator) -> Response:
        fields = Fields(await json_object(request))
        if fields.flag("preview") is False:
            id_, note = fields.text("id", str), fields.note()
            fields.no_others("preview", "id", "note")
            if id_ is None:
                raise InvalidJob([("id", "give the id of the preview")])
            stands = await pool.run(_begin, services, kind, id_, caller.actor, note)
            return respond(stands, HTTPStatus.ACCEPTED, Location=f"/v1/actions/{id_}")
        return respond(await pool.run(_preview, services.store, kind, *_read(kind, fields, caller)))


_MANY = {
    BulkActionKind.RETRY: "Preview a retry of many jobs; then, with its `id` and `preview: false`,"
    " begin it.",
    BulkActionKind.CANCEL: "Preview a cancellation of many jobs; then, with its `id` and"
    " `preview: false`, begin it.",
}
Selection = Filter | Sequence[str]


def _read(
    kind: BulkActionKind, fields: Fields, caller: Caller
) -> tuple[Selection, float | None, bool]:
    """Return which jobs are meant, the new deadline, and whether uncertain ones are, too."""
    more = ("expires", "uncertain") if kind is BulkActionKind.RETRY else ()
    fields.no_others("preview", "ids", "filter", *more)
    ids, filter_ = fields.texts("ids", str), fields.object("filter")
    if (ids is None) == (filter_ is None):
        raise InvalidJob([("filter", "give either a filter ({} means all jobs) or ids")])
    if filter_ is not None:
        filter_.no_others(*NAMES)
    which: Selection = filter_of(filter_, caller) if filter_ is not None else ids or ()
    return which, fields.any("expires", seconds), bool(fields.flag("uncertain"))


def _preview(
    store: Store, kind: BulkActionKind, which: Selection, expires: float | None, uncertain: bool
) -> dict[str, Any]:
    found = store.bulk.preview(kind, which, expires=expires, uncertain=uncertain)
    store.bulk.create(found)
    return found.to_dict()


def _begin(
    services: Services, kind: BulkActionKind, id_: str, actor: str, note: str
) -> dict[str, Any]:
    stands = services.store.bulk.get(id_)
    if stands.kind is not kind:
        raise other_action(stands.kind)
    if services.store.bulk.begin(id_, actor=actor, note=note):
        services.messenger.retrigger([id_])
    return services.store.bulk.get(id_).to_dict()


# -- acts and audit ------------------------------------------------------------------------


def _add_actions(routes: APIRouter, services: Services) -> None:
    store, pool = services.store, services.pool

    @routes.get("/actions/{id}", dependencies=[READS], **bulk_actions.ACTION)
    async def act(id_: ActionId) -> Response:
        """Return the progress or the result of a bulk action."""
        return respond((await pool.run(store.bulk.get, id_)).to_dict())

    @routes.post("/actions/{id}/stop", **bulk_actions.STOP)
    async def stop(request: Request, caller: Operator, id_: ActionId) -> Response:
        """Stop a bulk action. What was done stays done."""
        fields = Fields(await json_object(request, optional=True))
        note = fields.note()
        fields.no_others("note")
        await pool.run(store.bulk.stop, id_, actor=caller.actor, note=note)
        return respond((await pool.run(store.bulk.get, id_)).to_dict())


def _add_audit(routes: APIRouter, services: Services) -> None:
    @routes.get("/audit", dependencies=[READS], **account.AUDIT)
    async def log(
        *,
        since: Annotated[str | None, Query(description="From this time on.")] = None,
        until: Annotated[str | None, Query(description="Before this time.")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST, description="The most entries.")] = 100,
    ) -> Response:
        """Return the audit log, the oldest entries first. Numbers are masked."""
        return respond(await services.pool.run(_entries, services.store, since, until, limit))


def _entries(store: Store, since: str | None, until: str | None, limit: int) -> dict[str, Any]:
    """Return entries, and since when the next ones are. Those of one moment stay together."""
    bounds = Fields({"since": since, "until": until})
    found: list[AuditEntry] = []
    more = None
    for entry in store.audit.read(bounds.text("since", past), bounds.text("until", past)):
        if len(found) >= limit and entry.at != found[-1].at:
            more = iso(entry.at)
            break
        found.append(entry)
    return {"entries": [each.to_dict() for each in found], "next": more}
