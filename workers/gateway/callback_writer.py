"""Writes reports in groups: what comes while one write is under way goes out with the next one.

A write costs nearly the same for one report as for a hundred. So a lone report is written at once;
where several come together, the next ones wait for a moment for others.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from dispatcher.errors import DispatcherError
from dispatcher.store.callbacks import Callback, Callbacks
from dispatcher.store.errors import TooFewReplicas

log = logging.getLogger(__name__)

GROUP = 500
TOGETHER_WITHIN = 0.01
"""Seconds until the next write after one of several. A provider that waits for each answer before
it sends the next report waits for nothing else.
"""
WRITTEN_WITHIN = 8.0
"""Seconds: less than the provider waits for an answer."""
PAUSE = 0.05
"""Seconds between two wake-ups: each takes whatever is there."""


class NotWritten(DispatcherError):
    """A report is not in the inbox, or nobody knows whether it is: it must be sent again."""


class CallbackWriter:
    """Takes in reports; `wake` (blocking) has them applied. Use it within `open`.

    `replicas` (blocking) tells how many replicas of Redis must have a report before it counts as
    written: what a failover forgets, the provider does not tell again.
    """

    def __init__(
        self,
        inbox: Callbacks,
        wake: Callable[[], object],
        replicas: Callable[[], int] = lambda: 0,
    ) -> None:
        self._inbox, self._wake, self._replicas = inbox, wake, replicas
        self._waiting: list[tuple[Callback, asyncio.Future[None]]] = []
        self._counts: Counter[str] = Counter()
        self._something, self._written = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Write and wake until the end of the block; then write what is left."""
        tasks = [asyncio.create_task(self._write_on()), asyncio.create_task(self._wake_on())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._write()

    async def take(self, report: Callback) -> None:
        """Return when the report is written. Raises NotWritten."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((report, done))
        self._something.set()
        try:
            async with asyncio.timeout(WRITTEN_WITHIN):
                await done
        except TimeoutError:
            raise NotWritten(f"not written within {WRITTEN_WITHIN:g} s: send it again") from None

    async def pass_test(self) -> None:
        """Note that a worker's own request came. Raises NotWritten."""
        try:
            await asyncio.to_thread(self._inbox.note_test, passed=True)
        except DispatcherError as error:
            raise NotWritten(f"not written: {error}") from None

    def count(self, what: str) -> None:
        """Count a callback that was not taken in."""
        self._counts[f"callbacks.{what}"] += 1
        self._something.set()

    async def _write_on(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            if await asyncio.shield(self._write()) > 1:
                await asyncio.sleep(TOGETHER_WITHIN)

    async def _write(self) -> int:
        """Write what waits; return how many reports that were."""
        many = 0
        while self._waiting or self._counts:
            many += len(self._waiting[:GROUP])
            group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
            counts, self._counts = self._counts, Counter()
            counts["callbacks.received"] += len(group)
            try:
                reports = [report for report, _ in group]
                await asyncio.to_thread(self._receive, reports, counts)
            except TooFewReplicas as error:
                log.warning("%d callbacks are not safe: %s", len(group), error)
                _tell(group, NotWritten("the callback may be lost: send it again"))
                self._written.set()  # it is there, for now
            except Exception as error:  # noqa: BLE001 - whoever waits must be told, whatever it is
                log.warning("%d callbacks could not be written: %s", len(group), error)
                _tell(group, NotWritten("the callback could not be written: send it again"))
            else:
                _tell(group, None)
                if group:
                    self._written.set()
        return many

    def _receive(self, reports: list[Callback], counts: Counter[str]) -> None:
        replicas = self._replicas() if reports else 0
        self._inbox.receive(reports, counts, replicas=replicas)

    async def _wake_on(self) -> None:
        while True:
            await self._written.wait()
            self._written.clear()
            with suppress(Exception):  # the pump looks for what nobody was woken for
                await asyncio.to_thread(self._wake)
            await asyncio.sleep(PAUSE)


def _tell(group: list[tuple[Callback, asyncio.Future[None]]], error: Exception | None) -> None:
    """Tell those who still wait."""
    for _, done in group:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
