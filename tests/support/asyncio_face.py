"""An AsyncDispatcher with the face of a Dispatcher: so that one test is for both."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from dispatcher.client.async_dispatcher import AsyncDispatcher, AsyncJobHandle
from dispatcher.client.async_do_not_call import AsyncDoNotCalls
from dispatcher.client.async_many import AsyncResults
from dispatcher.client.many import Bulk

Run = Callable[[Coroutine[Any, Any, Any]], Any]
WITHIN = 180.0


@contextmanager
def running_loop(make: Callable[[], asyncio.AbstractEventLoop]) -> Iterator[Run]:
    """Give what runs a coroutine in an event loop of a thread, and waits for it."""
    loop = make()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(WITHIN)
    finally:
        asyncio.run_coroutine_threadsafe(loop.shutdown_asyncgens(), loop).result(WITHIN)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Face:
    """Awaits whatever the methods of an AsyncDispatcher, or of what belongs to it, return."""

    def __init__(self, run: Run, real: AsyncDispatcher | AsyncJobHandle | AsyncDoNotCalls) -> None:
        self._run, self._real = run, real

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if isinstance(found, AsyncDoNotCalls):
            return Face(self._run, found)
        if not callable(found):
            return found
        return lambda *args, **kwargs: self._faced(found(*args, **kwargs))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Face) and self._real == other._real

    def __hash__(self) -> int:
        return hash(self._real)

    def _faced(self, answer: Any) -> Any:
        if isinstance(answer, AsyncResults):
            return FacedResults(self._run, answer)
        if isinstance(answer, AsyncGenerator):
            return self._run(_all(answer))
        return faced(self._run, self._run(answer) if asyncio.iscoroutine(answer) else answer)


class FacedResults:
    """Gives what an AsyncResults gives."""

    def __init__(self, run: Run, real: AsyncResults) -> None:
        self._run, self._real = run, real

    def __iter__(self) -> FacedResults:
        return self

    def __next__(self) -> Any:
        try:
            return faced(self._run, self._run(_next(self._real)))
        except StopAsyncIteration:
            raise StopIteration from None

    def collect(self) -> Any:
        return faced(self._run, self._run(self._real.collect()))


async def _all(answer: AsyncIterator[Any]) -> list[Any]:
    return [each async for each in answer]


async def _next(results: AsyncResults) -> Any:
    return await anext(results)


def faced(run: Run, answer: Any) -> Any:
    """Return an answer, with a face for what is to be awaited."""
    if isinstance(answer, Bulk):
        return Bulk([faced(run, job) for job in answer.jobs], answer.refused)
    return Face(run, answer) if isinstance(answer, AsyncJobHandle) else answer
