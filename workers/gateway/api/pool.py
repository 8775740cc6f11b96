"""Threads for what asks Redis: nothing that blocks runs in the event loop.

Clients take turns: whoever asks for a thousand things at once waits behind themselves alone.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 16
OF_ONE = 8
"""Threads that one client has at most, so that another finds one."""
client: ContextVar[str] = ContextVar("client", default="")
"""For whom a request is done: its address, and its name once that is known."""


class Pool:
    """So many things at once, and no more; the rest waits its turn."""

    def __init__(self, threads: int = THREADS, of_one: int = OF_ONE) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="api")
        self._turns = Turns(threads, min(of_one, threads))

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do it in a thread, and return what it returns."""
        name = client.get()
        await self._turns.begin(name)
        running = asyncio.get_running_loop().run_in_executor(
            self._threads, partial(work, *args, **kwargs)
        )
        # The thread is taken until it is done, whether or not somebody still waits for it.
        running.add_done_callback(lambda _: self._turns.end(name))
        return await asyncio.shield(running)

    def aside(self, work: Callable[[], None]) -> None:
        """Do something short that nobody waits for; when the process ends, not at all."""
        with suppress(RuntimeError):
            self._threads.submit(work)


class Turns:
    """Who goes next: clients one after another, each with the oldest of what they asked."""

    def __init__(self, most: int, of_one: int) -> None:
        self._most, self._of_one = most, of_one
        self._running: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def begin(self, name: str) -> None:
        """Return when it is this client's turn; `end` must follow."""
        if self._running.total() < self._most and self._running[name] < self._of_one:
            self._running[name] += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(name, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.end(name)  # it came, and nobody takes it
            raise

    def end(self, name: str) -> None:
        """Give back a turn: the next begins."""
        self._running[name] -= 1
        if not self._running[name]:
            del self._running[name]
        for other in list(self._waiting):
            if self._running.total() >= self._most:
                return
            if self._running[other] < self._of_one:
                self._let(other)

    def _let(self, name: str) -> None:
        """Let the oldest of a client begin; the client comes last in the next round."""
        waiting = self._waiting.pop(name)
        while waiting:
            turn = waiting.popleft()
            if not turn.done():
                self._running[name] += 1
                turn.set_result(None)
                break
        if waiting:
            self._waiting[name] = waiting
