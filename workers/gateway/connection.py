"""One connection of the gateway: its head must come within a time and a size, and have a place."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from dispatcher.values import callback_urls, dial_in_urls
from workers.gateway.addresses import Network, client_address
from workers.gateway.brake import Brake
from workers.gateway.caps import Full
from workers.gateway.crowd import Crowd, Share
from workers.gateway.gathering import Gathering
from workers.gateway.problems import MEDIA_TYPE, Problem, answer, document

HEAD_WITHIN: Final = (6.0, 10.0)
"""Seconds from the connection, or the first byte of a further request, to the end of its head: not
always as many, for a thousand that came together would go, and come back, together.
"""
LARGEST_HEAD: Final = 32 * 1024
READ_WITHIN: Final = 30.0
"""Seconds in which an answer is read to its end when the connection closes, before it is cut."""
CUT: Final = "dispatcher.cut"
"""The name in a request's state under which it can cut its connection."""
FLOW: Final = "dispatcher.flow"
"""The name in a request's state of what tells whether its answer is read."""
_OF_PROVIDER: Final = tuple(f"{each.PREFIX}/".encode() for each in (callback_urls, dial_in_urls))
"""Where the provider's own requests go."""
_HEALTH: Final = frozenset({b"/healthz", b"/readyz"})


class Connection(HttpToolsProtocol):
    """uvicorn limits none of it: its keep-alive timer runs only between two requests."""

    _head: asyncio.TimerHandle | None = None
    _head_size = 0
    _end: asyncio.TimerHandle | None = None

    def __init__(
        self,
        *args: Any,
        crowd: Crowd[Connection],
        trusted: Sequence[Network],
        brake: Brake,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._crowd, self._trusted, self._brake = crowd, trusted, brake

    def connection_made(self, transport: Any) -> None:
        super().connection_made(cast("asyncio.Transport", Gathering(transport, self.loop)))
        leaves = self._crowd.come(self, self._peer)
        if leaves is not None:
            leaves.transport.abort()
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._have_head()
        if self._end is not None:
            self._end.cancel()
        self._crowd.go(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head_size += len(data)
        super().data_received(data)
        # After the parser: what came in one piece with a short head may be a large body.
        if self._head is not None and self._head_size > LARGEST_HEAD:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head is too large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._head is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        self._have_head()
        client = client_address(self._peer, self.headers, self._trusted)
        self.scope["client"] = (client, self.client[1] if self.client else 0)
        self.scope["state"][CUT] = self.transport.abort
        self.scope["state"][FLOW] = self.flow
        full = self._crowd.ask(self, client, share_of(self.url))
        self.app = self._refusal(full, client) if full else self.config.loaded_app
        super().on_headers_complete()

    def _refusal(self, full: Full, client: str) -> ASGIApp:
        async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
            await self._brake.hold(client)
            await answer(full.problem({"Connection": "close"}))(scope, receive, send)

        return refuse

    def on_response_complete(self) -> None:
        self._crowd.answered(self)
        super().on_response_complete()
        if self.transport.is_closing():
            self._close()

    def timeout_keep_alive_handler(self) -> None:
        self._close()

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    @property
    def _peer(self) -> str:
        return self.client[0] if self.client else ""

    def _expect_head(self) -> None:
        self._head_size = 0
        self._head = self.loop.call_later(random.uniform(*HEAD_WITHIN), self.transport.abort)  # noqa: S311

    def _have_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        """Answer what never became a request, and close."""
        self._have_head()
        if self.transport.is_closing():
            return
        body = document(Problem(status, why, remedy="send a valid HTTP/1.1 request"))
        head = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close"
        self.transport.write(STATUS_LINE[status] + head.encode() + b"\r\n\r\n" + body)
        self._close()

    def _close(self) -> None:
        """Close when all is sent; whoever does not read keeps no connection."""
        self.transport.close()
        if self._end is None:
            self._end = self.loop.call_later(READ_WITHIN, self.transport.abort)


def share_of(url: bytes) -> Share:
    """Return the share of places that a request is counted against."""
    if url.startswith(_OF_PROVIDER):
        return Share.CALLBACKS
    return Share.HEALTH if url.partition(b"?")[0] in _HEALTH else Share.COMMON
