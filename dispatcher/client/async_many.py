"""Many requests from asyncio: as many.py does it, each batch in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Self

from dispatcher.client import many
from dispatcher.client.many import Bulk, Given, Interrupted, RefusedRequest, Row, Rows, Written
from dispatcher.store.values import Enqueued

if TYPE_CHECKING:
    from dispatcher.client.async_dispatcher import AsyncJobHandle

Requests = Iterable[Row] | AsyncIterable[Row]


class AsyncResults(Given["AsyncJobHandle"], AsyncIterator["AsyncJobHandle | RefusedRequest"]):
    """The results of many requests, one for each, in order: an AsyncJobHandle or a RefusedRequest.

    Requests are read in the event loop and written in a thread, a batch at a time, as results are
    asked for. Raises Interrupted, StoreUnsuitable, Closed.
    """

    def __init__(
        self,
        requests: Requests,
        write_batch: Callable[[Rows], Awaitable[Written]],
        handle: Callable[[Enqueued, int], AsyncJobHandle],
    ) -> None:
        self._next, self._write = _next_of(requests), write_batch
        self._batch: list[tuple[int, Row]] = []
        self._numbered = 0
        self._writing: asyncio.Future[Written] | None = None
        super().__init__(handle)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AsyncJobHandle | RefusedRequest:
        self._begun = True
        while not self._ready:
            self._raise_fault()
            await self._next_batch()
        return self._ready.popleft()

    async def _next_batch(self) -> None:
        """Read and write a batch. If this is cancelled, the next goes on where it was."""
        if self._writing is None:
            await self._fill()
        writing = self._writing = self._writing or asyncio.ensure_future(self._write(self._batch))
        await asyncio.wait([writing])  # which leaves it be, if we are cancelled
        rows, self._batch, self._writing = self._batch, [], None
        self._take(rows, writing.result())

    async def _fill(self) -> None:
        """Read a batch, or what is left. Raises StopAsyncIteration where that is nothing."""
        while len(self._batch) < many.BATCH:
            try:
                row = await self._next()
            except StopAsyncIteration:
                break
            self._batch.append((self._numbered, row))
            self._numbered += 1
        if not self._batch:
            raise StopAsyncIteration

    async def collect(self) -> Bulk[AsyncJobHandle]:
        """Return what became of all that are left: this keeps every result. Raises Interrupted."""
        bulk: Bulk[AsyncJobHandle] = Bulk()
        try:
            async for result in self:
                bulk.add(result)
        except Interrupted as error:
            error.bulk = bulk
            raise
        return bulk


def _next_of(requests: Requests) -> Callable[[], Awaitable[Row]]:
    """Return what reads the next request. It raises StopAsyncIteration at the end."""
    if isinstance(requests, AsyncIterable):
        return partial(anext, aiter(requests))
    rows = iter(requests)

    async def read() -> Row:
        try:
            return next(rows)
        except StopIteration:
            raise StopAsyncIteration from None

    return read
