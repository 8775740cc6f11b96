"""One connection of the gateway: its head must come within a time and a size, or it is closed."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from workers.gateway.problems import MEDIA_TYPE, Problem, answer, document

HEAD_WITHIN: Final = 10.0
"""Seconds from the connection, or the first byte of a further request, to the end of its head."""
LARGEST_HEAD: Final = 32 * 1024
MOST_CONNECTIONS: Final = 1000

_CROWDED = answer(
    Problem(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections", headers={"Connection": "close"})
)


class Connection(HttpToolsProtocol):
    """uvicorn limits neither: its keep-alive timer runs only between two requests."""

    _head: asyncio.TimerHandle | None = None
    _head_size = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._have_head()
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
        crowded = len(self.connections) > MOST_CONNECTIONS
        self.app = _CROWDED if crowded else self.config.loaded_app
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _expect_head(self) -> None:
        self._head_size = 0
        self._head = self.loop.call_later(HEAD_WITHIN, self.transport.close)

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
        self.transport.close()
