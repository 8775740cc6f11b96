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
from workers.gateway.api.intake import Intake, Tally, as_line
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

ACCEPTED = {NDJSON, "application/ndjson", "application/jsonl", "application/x-jsonlines"}
TOGETHER = 500
"""Lines that are enqueued in one round trip."""
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
        intake = Intake(dispatcher, services.keys, caller.key, key, Tally())
        return Exchange(request, intake, services.pool, places, services.liveness)

    return routes


def _require_lines(request: Request) -> None:
    content_type = (only_header(request, "Content-Type") or "").partition(";")[0].strip().lower()
    if content_type not in ACCEPTED:
        raise undeclared_lines()


class Exchange(Response):
    """An answer that is written while the request still comes."""

    def __init__(
        self, request: Request, intake: Intake, pool: Pool, places: Places, liveness: Liveness
    ) -> None:
        super().__init__(media_type=NDJSON)
        del self.headers["content-length"]
        self._request, self._intake, self._pool, self._places = request, intake, pool, places
        self._liveness = liveness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        pieces = self._request.stream()
        with self._places.one(self._intake.key.name):
            # Before the answer begins: who asked for `100 Continue` waits for it.
            first = await anext(pieces, b"")
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            with closing(Spool()) as spool:
                reading = asyncio.create_task(self._read(first, pieces, spool))
                try:
                    await _write(spool, send)
                    await reading  # what it did not foresee cuts the answer
                finally:
                    reading.cancel()
                    await asyncio.wait([reading])
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _read(self, first: bytes, pieces: AsyncIterator[bytes], spool: Spool) -> None:
        """Take in the lines as they come. One that a lost connection cut is left alone."""
        lines, problem, piece = Lines(), None, first
        try:
            while piece:
                await self._take_in(partial(lines.feed, piece), spool)
                piece = await self._while_live(anext(pieces, b""))
            await self._take_in(lines.rest, spool)
        except Problem as error:  # too large, too slow
            problem = error
        except DispatcherError as error:
            problem = problems.of(error)
        finally:
            spool.end(as_line(self._intake.tally.summary(problem)))

    async def _while_live(self, coming: Awaitable[bytes]) -> bytes:
        """Return the next piece. Raises NotLetIn where the key ends before it comes."""
        return await self._liveness.during(self._intake.key, coming, _never)

    async def _take_in(self, cut: Callable[[], list[Line]], spool: Spool) -> None:
        """Take in what a piece makes; it is cut in a thread, for it may be tens of thousands."""
        lines = await self._pool.run(cut)
        for start in range(0, len(lines), TOGETHER):
            some = lines[start : start + TOGETHER]
            await spool.put(await self._pool.run(self._intake.take_in, some))


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
