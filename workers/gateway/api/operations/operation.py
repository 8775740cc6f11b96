"""How an operation is described: its body, its answers, and the problems that it may meet."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from workers.gateway.api import problem_examples
from workers.gateway.api.limits import SMALL
from workers.gateway.api.schema_words import Schema
from workers.gateway.middleware import Limit
from workers.gateway.problems import Problem

_ALWAYS = (problem_examples.NO_KEY, problem_examples.RATE, problem_examples.NO_REDIS)


def answer(about: str, schema: Schema, example: Any, media: str = "application/json") -> Schema:
    return {"description": about, "content": {media: {"schema": schema, "example": example}}}


def operation(
    answers: dict[int, Schema],
    *own: Problem,
    body: Schema | None = None,
    parameters: list[Schema] | None = None,
    status: int = 200,
    limit: Limit = SMALL,
) -> dict[str, Any]:
    """Return what a route's decorator takes; `own` are its problems, besides those of all routes.

    The problem of a missing scope is added where the document is made: the route knows its scopes.
    """
    of_body = problem_examples.of_body(limit) if body else [problem_examples.TWICE]
    problems = {int(each.status_code): each for each in (*_ALWAYS, *of_body, *own)}
    extra: Schema = {"requestBody": body} if body else {}
    if parameters:
        extra["parameters"] = parameters
    return {
        "status_code": status,
        "response_class": Response,  # what it answers with is said below
        "responses": {n: problem_examples.answer(problems[n]) for n in sorted(problems)} | answers,
        "openapi_extra": extra or None,
    }


def body_of(schema: Schema, example: Any, *, required: bool = True) -> Schema:
    return {
        "required": required,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


def in_query(name: str, schema: Schema) -> Schema:
    kind = {"type": "array", "items": schema["items"]} if name == "state" else {"type": "string"}
    about = schema["description"]
    return {"name": name, "in": "query", "required": False, "schema": kind, "description": about}
