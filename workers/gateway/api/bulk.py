"""`POST /v1/jobs/bulk`: lines of JSON streamed in, an answer to each streamed out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from functools import partial

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dispatcher.errors import DispatcherError
from workers.gateway import problems
from workers.gateway.api.authenticator import BulkEnqueuer
from workers.gateway.api.intake import Intake, Tally, as_text
from workers.gateway.api.limits import BULK_PATH
from workers.gateway.api.lines import Line, Lines
from workers.gateway.api.liveness import Liveness
from workers.gateway.api.operations import jobs as operations
from workers.gateway.api.pool import Pool
from workers.gateway.api.services import Services
from workers.gateway.api.spool import Spool
from workers.gateway.api.strict import NDJSON, idempotency_key, only_header, undeclared_lines
from workers.gateway.caps import Places
from workers.gateway.problems import Problem
from workers.gateway.traced import traceparent_of

ACCEPTED = {NDJSON, "application/ndjson", "application/jsonl", "application/x-jsonlines"}
TOGETHER = 1000
"""Lines that are enqueued in one round trip: most often those that come in one piece."""
_ALL_AT_ONCE = ("Content-Length", "X-Forwarded-For", "Forwarded", "Via")
"""Headers of a request that is answered when all of it is there."""
READ_WITHIN = 60.0
"""Seconds in which whoever has sent all, or as much as is kept, must read something."""


def router(services: Services) -> APIRouter:
    """Return the route."""
    routes = APIRouter(tags=["jobs"])
    places = services.sharing.bulk_requests

    @routes.post(BULK_PATH, **operations.BULK)
    async def bulk(request: Request, caller: BulkEnqueuer) -> Response:
        """Ask for many calls, a JSON object on each line. Each is accepted or refused alone."""
        _require_lines(request)
        key = idempotency_key(request)
        dispatcher = services.dispatcher(caller)
        traced = traceparent_of(request)
        intake = Intake(dispatcher, services.keys, caller.key, key, Tally(), traced)
        return Exchange(request, intake, services.pool, places, services.liveness)

    return routes


def _require_lines(request: Request) -> None:
    content_type = (only_header(request, "Content-Type") or "").partition(";")[0].strip().lower()
    if content_type not in ACCEPTED:
        raise undeclared_lines()


class Exchange(Response):
    """An answer that is written while the request still comes, to whoever can read it then."""

    def __init__(
        self, request: Request, intake: Intake, pool: Pool, places: Places, liveness: Liveness
    ) -> None:
        super().__init__(media_type=NDJSON)
        del self.headers["content-length"]
        self._request, self._intake, self._pool, self._places = request, intake, pool, places
        self._liveness = liveness
        self._enqueuing: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        pieces = self._request.stream()
        with self._places.one(self._intake.key.name), closing(Spool()) as spool:
            # Before the answer begins: who asked for `100 Continue` waits for it.
            first = await anext(pieces, b"")
            reading = asyncio.create_task(self._read(first, pieces, spool))
            try:
                if not reads_meanwhile(self._request):
                    await spool.complete()
                await send(
                    {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
                )
                await _write(spool, send)
                await reading  # what it did not foresee cuts the answer
            finally:
                reading.cancel()
                await asyncio.wait([reading])
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _read(self, first: bytes, pieces: AsyncIterator[bytes], spool: Spool) -> None:
        """Take in the lines as they come. One that a lost connection cut is left alone."""
        problem: Problem | None = None
        try:
            problem = await self._problem(self._take_in_all(first, pieces, spool))
        finally:  # what was read counts, whatever became of the rest
            problem = problem or await self._problem(self._enqueued())
            spool.end(as_text(self._intake.tally.summary(problem)).encode())

    async def _problem(self, doing: Awaitable[None]) -> Problem | None:
        """Return what the client is told of what went wrong, if anything did."""
        try:
            await doing
        except Problem as error:  # too large, too slow
            return error
        except DispatcherError as error:
            return problems.of(error)
        return None

    async def _take_in_all(self, first: bytes, pieces: AsyncIterator[bytes], spool: Spool) -> None:
        """Enqueue the lines of one piece after another: of two with one key the first is the one.
        Meanwhile the next piece is read.
        """
        lines, piece = Lines(), first
        while piece:
            await self._enqueued()
            cut = partial(lines.feed, piece)
            self._enqueuing = asyncio.create_task(self._enqueue(cut, spool))
            piece = await self._next(pieces)
        await self._enqueued()
        await self._enqueue(lines.rest, spool)

    async def _next(self, pieces: AsyncIterator[bytes]) -> bytes:
        """Return the next piece. Raises NotLetIn where the key ends before it comes, and what
        enqueueing those before it raises.
        """
        coming = asyncio.ensure_future(anext(pieces, b""))
        try:
            while self._enqueuing and not coming.done():
                either = (coming, self._enqueuing)
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if self._enqueuing.done():
                    await self._enqueued()
            return await self._liveness.during(self._intake.key, coming, _never)
        finally:
            coming.cancel()

    async def _enqueue(self, cut: Callable[[], list[Line]], spool: Spool) -> None:
        """Enqueue the lines that a piece makes; it is cut in a thread, for it may be tens of
        thousands.
        """
        lines = await self._pool.run(cut)
        for start in range(0, len(lines), TOGETHER):
            some = lines[start : start + TOGETHER]
            await spool.put(await self._pool.run(self._intake.take_in, some))

    async def _enqueued(self) -> None:
        """Wait until nothing is being enqueued any more."""
        enqueuing, self._enqueuing = self._enqueuing, None
        if enqueuing:
            await enqueuing


def reads_meanwhile(request: Request) -> bool:
    """Whether who sends lines may read answers at the same time: one who sends them piece by piece,
    by no proxy. Of proxies nginx sends nothing more on as soon as an answer begins.
    """
    return not any(name in request.headers for name in _ALL_AT_ONCE)


async def _never() -> bool:
    return False  # a stream that is cut says so itself


async def _write(spool: Spool, send: Send) -> None:
    """Send the answers; whoever sends still need not read yet."""
    async for piece in spool.pieces():
        message = {"type": "http.response.body", "body": piece, "more_body": True}
        await _patiently(send, message, spool)


async def _patiently(send: Send, message: dict[str, object], spool: Spool) -> None:
    sending = asyncio.ensure_future(send(message))
    while not (await asyncio.wait([sending], timeout=READ_WITHIN))[0]:
        if spool.ended or spool.full:
            sending.cancel()
            raise ClientDisconnect
    await sending
