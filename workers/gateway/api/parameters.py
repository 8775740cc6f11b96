"""The parameters of a route's query: what is misspelt, or given twice, is refused and not passed
over.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from dispatcher.model.invalid_job import InvalidJob


def require_known_parameters(request: Request) -> None:
    """Raise InvalidJob where the query has a parameter that its route does not know, or one of
    which the route would read the last alone.
    """
    if not request.scope["query_string"]:
        return
    query = request.query_params
    known = dict(_known(request.scope["route"]))
    unknown = sorted(set(query.keys()) - set(known))
    if unknown:
        use = f"use {', '.join(known)}" if known else "this route takes none"
        raise InvalidJob([(name, f"there is no such parameter; {use}") for name in unknown])
    twice = [name for name, many in known.items() if not many and len(query.getlist(name)) > 1]
    if twice:
        raise InvalidJob([(name, "give it once") for name in twice])


def _known(route: APIRoute) -> Iterator[tuple[str, bool]]:
    """Yield the names that a route documents, and whether it looks itself at how often each comes.

    It does at those that it reads by hand.
    """
    yield from _own(route.dependant)
    extra = (route.openapi_extra or {}).get("parameters", [])
    yield from ((each["name"], True) for each in extra if each["in"] == "query")


def _own(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    for field in dependant.query_params:
        yield field.alias, "list[" in str(field.field_info.annotation)
    for each in dependant.dependencies:
        yield from _own(each)
