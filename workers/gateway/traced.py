"""Traces of requests to the HTTP API: which trace a request belongs to, and what is told of it."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dispatcher.tracing import Spans, Step
from dispatcher.values.traceparent import HEADER, traceparent_or_none

PARAMETER: Final[dict[str, Any]] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The trace that this belongs to, in the W3C's form. A wrong one is left out.",
}
"""The header as the OpenAPI document has it."""
API = "/v1/"
"""The paths that are traced: what strangers ask for besides, and the provider, is not."""
BELOW = "dispatcher.traceparent"
"""The name in a request's scope of what belongs below it, where this process is traced."""


def traceparent_of(request: Request) -> str | None:
    """Return the trace of what a request asks for, None where it is of none."""
    scope = request.scope
    told: str | None = scope[BELOW] if BELOW in scope else _asked(request.headers)
    return told


def below(traceparent: str | None, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a request, which belong to a trace unless they name one of their own."""
    if traceparent is None or fields.get(HEADER) is not None:
        return fields
    return {**fields, HEADER: traceparent}


def _asked(headers: Headers) -> str | None:
    """Return what a request says; what says it twice, or wrongly, says nothing."""
    given = headers.getlist(HEADER)
    return traceparent_or_none(given[0]) if len(given) == 1 else None


class Traced:
    """ASGI middleware that tells of each request to the API."""

    def __init__(self, app: ASGIApp, spans: Spans) -> None:
        self._app, self._spans = app, spans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(API):
            await self._app(scope, receive, send)
            return
        with self._spans.server(scope["method"], _asked(Headers(scope=scope))) as step:
            scope[BELOW] = step.traceparent
            await self._app(scope, receive, partial(_send, send, scope, step))


async def _send(send: Send, scope: Scope, step: Step, message: Message) -> None:
    if message["type"] == "http.response.start":
        route = getattr(scope.get("route"), "path", "")  # the pattern: no id, no number
        step.answered(message["status"], scope["method"], route)
    await send(message)
