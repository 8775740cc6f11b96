"""The parameters of a route's query: what is misspelt is refused, and not passed over."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from dispatcher.model.request import InvalidJob


def require_known_parameters(request: Request) -> None:
    """Raise InvalidJob where the query has a parameter that its route does not know."""
    if not request.query_params:
        return
    known = _known(request.scope["route"])
    unknown = sorted(set(request.query_params.keys()) - set(known))
    if unknown:
        use = f"use {', '.join(known)}" if known else "this route takes none"
        raise InvalidJob([(name, f"there is no such parameter; {use}") for name in unknown])


def _known(route: APIRoute) -> list[str]:
    """Return the names that a route documents."""
    extra = (route.openapi_extra or {}).get("parameters", [])
    return [*_own(route.dependant), *(each["name"] for each in extra if each["in"] == "query")]


def _own(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for each in dependant.dependencies:
        yield from _own(each)
