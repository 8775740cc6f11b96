"""What stands before every route: limits of size and time, headers, an answer to any failure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workers.gateway import evidence
from workers.gateway.api import pool
from workers.gateway.brake import Brake
from workers.gateway.connection import CUT, FLOW
from workers.gateway.problems import Problem, answer

log = logging.getLogger(__name__)

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What every answer has that says nothing else; a page with scripts sets a policy of its own."""
REFUSALS = frozenset({401, 403, 429, 503})
SLOWED = "/v1/"
"""Where those who are refused again and again are slowed down."""
RawHeaders = list[tuple[bytes, bytes]]
"""Headers as ASGI has them: the names in small letters."""
AT_END = "dispatcher.at_end"
"""The name in a request's scope of what is given back when it is over."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of a body is taken (bytes), and within how many seconds it must be here whole.

    `idle`: for how many seconds nothing of it may come. `unread`: for how many seconds nothing of
    the answer may be read; None: the route sees to that.
    """

    size: int = 1 << 20
    within: float = 10.0
    idle: float = 10.0
    unread: float | None = 30.0


def too_large(limit: Limit) -> Problem:
    """Return the problem of a body that is larger than the limit."""
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the body has more than {limit.size} bytes",
        remedy="send less at once",
    )


def too_slow(limit: Limit) -> Problem:
    """Return the problem of a body that came too slowly."""
    return Problem(
        HTTPStatus.REQUEST_TIMEOUT,
        f"the body did not arrive within {limit.within:g} s,"
        f" or nothing arrived for {limit.idle:g} s",
        remedy="send it again, faster",
    )


class Middleware:
    """ASGI middleware. `limits` are by the beginning of the path; the longest that fits counts."""

    def __init__(
        self, app: ASGIApp, limits: Mapping[str, Limit], headers: Mapping[str, str], brake: Brake
    ) -> None:
        self._app, self._brake = app, brake
        self._limits = sorted(limits.items(), key=lambda item: -len(item[0]))
        self._headers = Headers({**HEADERS, **headers}).raw

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        slowly = partial(self._refuse_slowly, send) if scope["path"].startswith(SLOWED) else send
        guarded = _Guarded(scope, receive, slowly, self._limit(scope["path"]), self._headers)
        pool.client.set(scope["client"][0] if scope.get("client") else "")
        try:
            with ExitStack() as scope[AT_END]:
                await self._app(scope, guarded.receive, guarded.send)
        except ClientDisconnect:
            log.debug("a client went away in the middle of its request, or reads no answer")
            guarded.cut()
        except Exception as error:  # noqa: BLE001 - whatever a route did not foresee
            await guarded.end(error)

    async def _refuse_slowly(self, send: Send, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] in REFUSALS:
            await self._brake.hold(pool.client.get())
        await send(message)

    def _limit(self, path: str) -> Limit:
        return next((limit for start, limit in self._limits if path.startswith(start)), Limit())


class _Unknown:
    write_paused = True


_UNKNOWN = _Unknown()
"""Stands for the flow of what is no connection of ours."""


class _Guarded:
    """One request, whose body is counted and timed while it is read."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, limit: Limit, headers: RawHeaders
    ) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._limit, self._headers = limit, headers
        self._flow = scope.get("state", {}).get(FLOW, _UNKNOWN)
        said = Headers(scope=scope)
        self._announced = int(said.get("content-length", "0"))  # the parser lets digits through
        self._unread = self._announced > 0 or "transfer-encoding" in said
        self._size = 0
        self._deadline = asyncio.get_running_loop().time() + limit.within
        self._started = False

    async def receive(self) -> Message:
        """Return the next message. Raises Problem where the body is too large or too slow."""
        if max(self._announced, self._size) > self._limit.size:
            raise self._too_large()
        if not self._unread:
            return await self._receive()
        patience = asyncio.get_running_loop().time() + self._limit.idle
        try:
            async with asyncio.timeout_at(min(self._deadline, patience)):
                message = await self._receive()
        except TimeoutError:
            raise too_slow(self._limit) from None
        self._size += len(message.get("body", b""))
        self._unread = bool(message.get("more_body"))
        if self._size > self._limit.size:
            raise self._too_large()
        return message

    def _too_large(self) -> Problem:
        self._unread = True
        return too_large(self._limit)

    async def send(self, message: Message) -> None:
        """Send on, with our headers; a connection whose request was not read whole is closed."""
        if message["type"] == "http.response.start":
            self._started = True
            evidence.refused(self._scope, message["status"])
            said = {name for name, _ in message["headers"]}
            added = [header for header in self._headers if header[0] not in said]
            if self._unread:
                added.append((b"connection", b"close"))
            message["headers"] = [*message["headers"], *added]
        if not self._flow.write_paused:  # nothing to wait for
            await self._send(message)
            return
        try:
            async with asyncio.timeout(self._limit.unread):
                await self._send(message)
        except TimeoutError:
            raise ClientDisconnect from None

    def cut(self) -> None:
        """End the connection now: what is still to be sent would keep it open."""
        cut = self._scope.get("state", {}).get(CUT)
        if cut is not None:
            cut()

    async def end(self, error: Exception) -> None:
        """Answer what no handler was there for, or cut an answer that has begun."""
        # Not the path: it may hold a callback's secret.
        log.error("a %s request failed", self._scope["method"], exc_info=error)
        if self._started:
            raise error
        problem = Problem(
            HTTPStatus.INTERNAL_SERVER_ERROR, "the gateway failed to handle this request"
        )
        await answer(problem)(self._scope, self.receive, self.send)
