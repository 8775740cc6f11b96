"""Pages that stay fresh: each is a stream of server-sent events, too, of its parts that changed.

A stream holds a connection and, while it looks, a thread of its own few: it cannot take those of
other requests. A browser closes it while nobody sees the page, and asks every few seconds instead
where there is no place for it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from workers.gateway.api.pool import Pool
from workers.gateway.caps import Cap, Places
from workers.gateway.console.pages import HEADERS, Page
from workers.gateway.counts import Counts
from workers.gateway.middleware import AT_END

Look = Callable[[], Awaitable[Response]]
"""Returns the page as it is now."""

MEDIA_TYPE: Final = "text/event-stream"
BY_ITSELF: Final = "x-console-live"
"""Header of what a page asks for by itself where it has no stream."""
EVERY, SELDOM, SHARE = 1.0, 10.0, 10
"""Seconds between two looks of a stream, at least and at most; SHARE: see `pause`."""
LONGEST: Final = 300.0
"""Seconds that a stream lasts; the browser opens the next one."""
STREAMS: Final = Cap("live pages", 60, "the console")
OF_ONE: Final = Cap("live pages", 8, "the console")
"""Those of one session."""
THREADS: Final = 4
_HEADERS: Final = {**HEADERS, "X-Accel-Buffering": "no"}  # nginx would keep events back


def by_itself(request: Request) -> bool:
    """Whether an open page asks, and not the person before it."""
    return BY_ITSELF in request.headers or streamed(request)


def streamed(request: Request) -> bool:
    """Whether a browser asks for the stream of a page."""
    return request.headers.get("accept", "").startswith(MEDIA_TYPE)


class Live:
    """The streams of a gateway."""

    def __init__(self, counts: Counts) -> None:
        self._pool = Pool(THREADS, THREADS)
        self._places = Places(STREAMS, OF_ONE, counts)
        self._open, self._ending = 0, False

    async def run(self, work: Callable[[], Response]) -> Response:
        """Do the work in one of the few threads of all streams."""
        return await self._pool.run(work)

    def end(self) -> None:
        """Have every stream end at its next look: the gateway stops."""
        self._ending = True

    async def stream(self, request: Request, session: str, look: Look) -> Response:
        """Return the stream of a page, or the page's own answer where it cannot be followed.

        Who was logged out since the page was shown is told so by the stream: a browser follows no
        stream to where to log in. `session` tells apart who has streams. Raises Problem where there
        is no place.
        """
        first = await look()
        if not isinstance(first, Page):
            return Response(Told().news(first), media_type=MEDIA_TYPE, headers=_HEADERS)
        if first.problem:
            return first
        if not first.live:
            return Response(status_code=HTTPStatus.NO_CONTENT)  # a browser asks no more
        request.scope[AT_END].enter_context(self._places.one(session))
        return StreamingResponse(self._events(first, look), media_type=MEDIA_TYPE, headers=_HEADERS)

    async def _events(self, page: Response, look: Look) -> AsyncIterator[str]:
        until, told, wait = time.monotonic() + LONGEST, Told(), EVERY
        self._open += 1
        try:
            yield told.news(page)
            while isinstance(page, Page) and time.monotonic() < until:
                await asyncio.sleep(wait)
                if self._ending:
                    return
                started = time.monotonic()
                page = await look()
                wait = pause(time.monotonic() - started, self._open)
                yield told.news(page)
        finally:
            self._open -= 1


def pause(took: float, streams: int) -> float:
    """Return how many seconds a stream waits after a look: all of them together take a tenth of the
    gateway's time, whatever a look takes and however many there are.
    """
    return min(max(EVERY, SHARE * took * streams), SELDOM)


class Told:
    """What a browser was told of a page so far."""

    def __init__(self) -> None:
        self._parts: dict[str, str] = {}
        self._problem = ""

    def news(self, page: Response) -> str:
        """Return the event of a page as it is now; where nothing changed one that only says that
        the stream is still there.
        """
        if not isinstance(page, Page):  # where to log in
            return event("login", {})
        before, self._problem = self._problem, page.problem
        if page.problem:
            told = {"html": page.problem, "title": page.parts["title"]}
            return event("trouble", told) if page.problem != before else ALIVE
        changed = {name: html for name, html in page.parts.items() if self._parts.get(name) != html}
        self._parts.update(changed)
        return event("parts", changed) if changed or before else ALIVE


def event(name: str, data: dict[str, str]) -> str:
    """Return an event as it is sent; JSON holds no line break."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


ALIVE: Final = event("alive", {})
