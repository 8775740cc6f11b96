"""The route that is asked most: nothing is looked for in a request but who asks.

FastAPI finds out for each request what its endpoint wants, and from where. For this one that is
known, and finding it out took a quarter of the gateway's time. The documentation is FastAPI's.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from workers.gateway.api.authenticator import ENQUEUES


class Straight(APIRoute):
    """A route for keys that may enqueue; its endpoint takes the request and the caller."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.app = self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self.endpoint(request, await ENQUEUES.who(request))
        await response(scope, receive, send)
