"""`/v1/chains` and `/v1/rotas`: who is called for an alert, and who is on call when."""

from __future__ import annotations

import re
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from dispatcher.alerts.chains_gaps import MOST, gaps
from dispatcher.alerts.chains_state import in_force
from dispatcher.alerts.chains_warnings import uncallable, warnings
from dispatcher.alerts.rota_plans import plans
from dispatcher.model.api_key import Scope
from dispatcher.model.invalid_job import InvalidJob
from dispatcher.model.on_call import OnCall
from dispatcher.model.on_call_check import checked
from dispatcher.model.on_call_fields import checked_name
from dispatcher.policy.rotas import new_swap
from dispatcher.store import Store
from dispatcher.store.on_call import UnknownRota, rota_of
from workers.gateway.api.authenticator import READS, Operator, Reader
from workers.gateway.api.fields import Fields
from workers.gateway.api.jobs import Unmask, respond
from workers.gateway.api.operations import chains as operations
from workers.gateway.api.problem_examples import NO_VERSION
from workers.gateway.api.services import Services
from workers.gateway.api.strict import json_object, only_header
from workers.gateway.api.unmasked import write_down

MOST_DAYS = 366
_VERSION = re.compile(r'"?([0-9]{1,15})"?')


def _name(name: Annotated[str, Path(description="The name of a rota.")]) -> str:
    return Fields({"name": name}).text("name", checked_name) or ""


RotaName = Annotated[str, Depends(_name)]


def router(services: Services) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/v1", tags=["chains"])
    _add_chains(routes, services)
    _add_rotas(routes, services)
    return routes


def _add_chains(routes: APIRouter, services: Services) -> None:
    store, pool = services.store, services.pool

    @routes.get("/chains", **operations.SHOW)
    async def chains(request: Request, caller: Reader, *, unmask: Unmask = False) -> Response:
        """Return who is called for an alert, as it is in force. Version 0: nobody ever said.

        `on_call` is what a chains file says, as JSON; the header `ETag` is the version.
        """
        if unmask:
            caller.require(Scope.OPERATE)
        found, files = await pool.run(lambda: (store.on_call.get(), store.chains_files.watched()))
        people = len(found.on_call.contacts) if found else 0
        await write_down(services, request, caller, "contacts", jobs=people * unmask)
        told = in_force(found, files, unmask=unmask)
        return respond(told, ETag=f'"{told["version"]}"')

    @routes.put("/chains", **operations.PUBLISH)
    async def publish(request: Request, caller: Operator) -> Response:
        """Put in force who is called for an alert: what a chains file says, as JSON.

        The header `If-Match` is the version that it changes, 0 where there is none, or `*` for
        whatever is there. What says the same as before is no new version.
        """
        expected, given = _expected(request), await json_object(request)
        told = await pool.run(_publish, store, given, expected, caller.actor)
        return respond(told, ETag=f'"{told["version"]}"')


def _add_rotas(routes: APIRouter, services: Services) -> None:
    store, pool = services.store, services.pool

    @routes.get("/rotas/{name}", dependencies=[READS], **operations.ROTA)
    async def rota(
        name: RotaName,
        *,
        days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="How many days ahead.")] = 14,
    ) -> Response:
        """Return whose turn it is from now on, and the swaps that overrule the rota."""
        return respond(await pool.run(_rota, store, name, days))

    @routes.post("/rotas/{name}/swaps", **operations.SWAP)
    async def swap(request: Request, caller: Operator, name: RotaName) -> Response:
        """Have somebody else on call than the rota says, for a while."""
        fields = Fields(await json_object(request))
        fields.no_others("who", "from", "to", "note")
        return respond(await pool.run(_swap, store, name, fields, caller.actor))

    @routes.delete("/rotas/{name}/swaps/{id}", **operations.UNSWAP)
    async def unswap(
        caller: Operator,
        name: RotaName,
        id_: Annotated[str, Path(alias="id", description="The id of a swap.")],
    ) -> Response:
        """End a swap: the rota holds again."""
        await pool.run(_unswap, store, name, id_, caller.actor)
        return respond({"id": id_, "ended": True})


def _expected(request: Request) -> int | None:
    """Return the version that a request changes, None for whatever is there. Raises Problem."""
    given = only_header(request, "If-Match")
    if given is None:
        raise NO_VERSION
    if given.strip() == "*":
        return None
    version = _VERSION.fullmatch(given.strip())
    if version is None:
        raise InvalidJob([("If-Match", "it is no version: send what `ETag` said, or `*`")])
    return int(version[1])


def _publish(
    store: Store, given: dict[str, Any], expected: int | None, actor: str
) -> dict[str, Any]:
    store.chains_files.require_none()
    on_call = checked(given)
    version = store.on_call.publish(on_call, by=actor, expected=expected)
    now = store.moment()
    holes = islice(gaps(on_call, now, store.on_call.overrides()), MOST)
    warned = [*warnings(on_call), *holes, *uncallable(on_call, store)]
    return {"version": version, "warnings": warned}


def _rota(store: Store, name: str, days: int) -> dict[str, Any]:
    (plan,) = plans(store, _in_force(store), [name], days)
    return plan.to_dict()


def _swap(store: Store, name: str, fields: Fields, actor: str) -> dict[str, Any]:
    on_call = _in_force(store)
    rota = rota_of(on_call, name)
    given = {field: fields.text(field, str) for field in ("who", "from", "to")}
    if missing := [(field, "it is missing") for field, value in given.items() if value is None]:
        raise InvalidJob(missing)
    who, begins, ends = (str(value) for value in given.values())
    shift, until = new_swap(on_call, rota, who, (begins, ends), fields.note())
    id_ = store.on_call.swap(name, shift, until=until, by=actor)
    return {"id": id_, "rota": name, "who": who, "from": begins, "to": ends, "why": shift.why}


def _unswap(store: Store, name: str, id_: str, actor: str) -> None:
    """End a swap of a rota. Raises UnknownRota."""
    if not any(swap.id == id_ and swap.rota == name for swap in store.on_call.swaps()):
        raise UnknownRota(f"there is no rota {name} with a swap {id_[:40]!r}")
    store.on_call.end_swap(id_, by=actor)


def _in_force(store: Store) -> OnCall:
    return store.on_call.in_force() or OnCall()
