"""The route that is asked most: nothing is looked for in a request but who asks.

FastAPI finds out for each request what its endpoint wants, and from where. For this one that is
known, and finding it out took a quarter of the gateway's time. The documentation is FastAPI's.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from workers.gateway.api.authenticator import ENQUEUES


class Straight(APIRoute):
    """A route for keys that may enqueue; its endpoint takes the request and the caller."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what FastAPI calls with a request of this route."""
        endpoint = self.endpoint

        async def handle(request: Request) -> Response:
            response: Response = await endpoint(request, await ENQUEUES.who(request))
            return response

        return handle
