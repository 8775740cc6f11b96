"""What is asked for at the same moment is done together: in one thread, in one round trip.

Whoever comes while that is under way is of the next batch, which begins as soon as it is over: so
nobody waits for company, and the busier it is, the less each costs.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from workers.gateway.api.pool import Pool, client

Asked = TypeVar("Asked")
Told = TypeVar("Told")

MOST = 64
"""What is done in one batch at most: so that nobody waits longer than for some milliseconds."""


class Together(Generic[Asked, Told]):
    """Does what is asked for in batches, one after another; clients take turns in them.

    `do` returns what each is told, in order, or the exception that it meets. What it raises all of
    the batch are told.
    """

    def __init__(
        self, pool: Pool, do: Callable[[list[Asked]], Sequence[Told | Exception]], name: str
    ) -> None:
        self._pool, self._do, self._name = pool, do, name
        self._waiting: dict[str, deque[tuple[Asked, asyncio.Future[Told]]]] = {}
        self._batch: asyncio.Task[None] | None = None

    async def ask(self, asked: Asked) -> Told:
        """Return what it is told, or raise the exception that it meets.

        Whoever is cancelled hears nothing; it is done nevertheless, if its batch has begun.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Told] = loop.create_future()
        self._waiting.setdefault(client.get(), deque()).append((asked, future))
        if self._batch is None:
            self._batch = loop.create_task(self._work())
        return await future

    async def _work(self) -> None:
        """Do one batch after another until nobody waits."""
        client.set(self._name)  # the turn in the pool is nobody's own
        while some := self._next():
            await self._do_some(some)
        self._batch = None

    async def _do_some(self, some: list[tuple[Asked, asyncio.Future[Told]]]) -> None:
        try:
            told = await self._pool.run(self._do, [asked for asked, _ in some])
        except Exception as error:  # noqa: BLE001 - whoever asked says what it means
            told = [error] * len(some)
        for (_, future), each in zip(some, told, strict=True):
            if future.done():
                continue
            if isinstance(each, Exception):
                future.set_exception(each)
            else:
                future.set_result(each)

    def _next(self) -> list[tuple[Asked, asyncio.Future[Told]]]:
        """Take the next batch: the oldest of each client, again and again."""
        some: list[tuple[Asked, asyncio.Future[Told]]] = []
        while self._waiting and len(some) < MOST:
            for name in list(self._waiting)[: MOST - len(some)]:
                waiting = self._waiting.pop(name)
                found = waiting.popleft()
                if waiting:
                    self._waiting[name] = waiting
                if not found[1].done():
                    some.append(found)
        return some
