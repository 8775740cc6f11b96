"""Threads for code in asyncio: what blocks is done there, a few things at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from dispatcher.client.waiting import Closed

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """So many threads, and no more: the rest waits its turn."""

    def __init__(self, many: int) -> None:
        self._pool = ThreadPoolExecutor(many, thread_name_prefix="dispatcher")
        self._closed = False

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do it in a thread, and return what it returns. Raises Closed.

        If who waits is cancelled, it is not begun; or, where it has begun, done and forgotten.
        """
        self.require_open()
        future = self._pool.submit(copy_context().run, partial(work, *args, **kwargs))
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task and not task.cancelling():  # it was `finish` that took it from the queue
                raise Closed from None
            raise

    def require_open(self) -> None:
        """Raise Closed."""
        if self._closed:
            raise Closed

    def aside(self, work: Callable[[], None]) -> None:
        """Do it in a thread that nobody waits for; once closed, not at all."""
        with suppress(RuntimeError):
            self._pool.submit(work)

    def close(self) -> bool:
        """Take no more; return whether that is new."""
        closed, self._closed = self._closed, True
        return not closed

    def finish(self) -> None:
        """Return when all that was begun is done, and the threads are over.

        What still waits its turn raises Closed: behind a Redis that hangs, that may be a lot.
        """
        self._pool.shutdown(cancel_futures=True)
