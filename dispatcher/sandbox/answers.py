"""HTTP answers: JSON or a page, and an orderly one for whatever a client sends."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import ClientError, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from dispatcher.sandbox import refusals
from dispatcher.sandbox.refusals import Refusal

LARGEST_BODY = 256 * 1024
"""Bytes; a call's longest text fits many times over."""


def json_answer(body: Any, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(body), status=status, content_type="application/json")


def refused(refusal: Refusal) -> web.Response:
    """Return the answer a refusal stands for."""
    if isinstance(refusal.body, str):
        response = web.Response(text=refusal.body, status=refusal.status, content_type="text/html")
    else:
        response = json_answer(refusal.body, refusal.status)
    response.headers.update(refusal.headers)
    return response


async def whole_body(request: web.Request) -> bytes:
    """Return the body. Raises Refusal for one that is too large or broken on the way."""
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise refusals.detail(413, f"The body is larger than {LARGEST_BODY} bytes.") from None
    except (HttpProcessingError, ClientError, ConnectionError, web.RequestPayloadError):
        raise refusals.detail(400, "The body is broken.") from None


@web.middleware
async def orderly(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every refusal into its answer, aiohttp's own ones into the provider's JSON."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return refused(refusal)
    except web.HTTPMethodNotAllowed as error:
        not_allowed = refusals.detail(405, f'Method "{request.method}" not allowed.')
        not_allowed.headers["Allow"] = error.headers["Allow"]
        return refused(not_allowed)
    except web.HTTPNotFound:
        return refused(refusals.not_found())
