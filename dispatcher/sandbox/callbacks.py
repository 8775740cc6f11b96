"""Callbacks: a POST to the client's URL when a call has ended, until it is answered 200."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import aiohttp

from dispatcher.sandbox.calls import Call, Try, call_status
from dispatcher.sandbox.clock import Clock
from dispatcher.sandbox.options import SandboxOptions

MOST_TRIES = 10
"""Provider docs: a callback is tried ten times at most."""
DROPPED = "dropped"
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=10)


class Callbacks:
    """Schedules and delivers; `options` is asked anew each time, as they change at run time."""

    def __init__(self, clock: Clock, options: Callable[[], SandboxOptions]) -> None:
        self._clock = clock
        self._options = options
        self._session: aiohttp.ClientSession | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar())

    async def close(self) -> None:
        tasks = [*self._tasks]
        self.forget()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session:
            await self._session.close()

    @property
    def waiting(self) -> int:
        """How many calls' callbacks are due later or being tried."""
        return len(self._timers) + len(self._tasks)

    def forget(self) -> None:
        """Give up every callback that is not delivered yet."""
        for handle in self._timers.values():
            handle.cancel()
        self._timers.clear()
        for task in self._tasks:
            task.cancel()

    def schedule(self, call: Call) -> None:
        """Deliver the call's callback when it has ended, if it asked for one."""
        if not call.callbackurl:
            return
        delay = call.ends_at + self._options().callback_delay - self._clock.now()
        loop = asyncio.get_running_loop()
        self._timers[call.callid] = loop.call_later(delay, self._start, call)

    def _start(self, call: Call) -> None:
        del self._timers[call.callid]
        task = asyncio.create_task(self._deliver(call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, call: Call) -> None:
        options = self._options()
        chance = random.Random(f"{options.seed} {call.callid}")  # noqa: S311 - to be repeated, not secret
        dropped = chance.random() < options.callback_drop
        doubled = chance.random() < options.callback_duplicate
        if dropped:
            self._record(call, DROPPED)
            return
        for _ in range(2 if doubled else 1):
            await self._until_answered(call)

    async def _until_answered(self, call: Call) -> None:
        for number in range(MOST_TRIES):
            if number:
                await asyncio.sleep(self._options().callback_retry)
            result = await self._post(call)
            self._record(call, result)
            if result == HTTPStatus.OK:
                return

    async def _post(self, call: Call) -> int | str:
        """Return the HTTP status, or what kind of error there was instead of one."""
        assert self._session  # noqa: S101 - opened before the first request is served
        try:
            async with self._session.post(
                call.callbackurl, allow_redirects=False, **self._body(call)
            ) as answer:
                return answer.status
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return type(error).__name__

    def _body(self, call: Call) -> dict[str, Any]:
        # A timer may fire a hair before its time; a callback never says IN PROGRESS.
        report = call_status(call, max(self._clock.now(), call.ends_at), self._clock)
        if self._options().callback_format == "json":
            return {"json": report}
        return {"data": {**report, "tags": ",".join(call.tags)}}

    def _record(self, call: Call, result: int | str) -> None:
        call.tries = (*call.tries, Try(self._clock.now(), result))
