"""Watching in asyncio: one thread and one connection listen for any number of those who watch."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Self
from weakref import WeakSet

from dispatcher.client.watching import Gap, News, matches, watch
from dispatcher.model.filters import Filter
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable

MOST_BEHIND = 10_000
"""Changes kept for one who does not read them; beyond, all of them become a Gap."""
_TURN = 1.0  # seconds until the thread looks whether anybody still watches


class Watch(AsyncIterator[News]):
    """Every change of the jobs that are meant, as it happens, for ever.

    It listens from the first `async for`, or from the beginning of an `async with`, on. Let go, or
    close it, and it listens no more.
    """

    def __init__(self, watchers: Watchers, filter_: Filter) -> None:
        self._watchers, self._filter = watchers, filter_
        self._lock = threading.Lock()
        self._news: deque[News] = deque()
        self._error: Exception | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._something, self._listening = asyncio.Event(), asyncio.Event()
        self._over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> News:
        self._begin()
        while not self._over:
            with self._lock:
                if self._news:
                    return self._news.popleft()
                if self._error:
                    raise self._error
                self._something.clear()
            await self._something.wait()
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        """Return when nothing is missed from now on."""
        self._begin()
        await self._listening.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Watch no more; whoever still reads comes to the end."""
        self._over = True
        self._something.set()
        self._watchers.leave(self)

    def _begin(self) -> None:
        if self._loop is None and not self._over:
            self._loop = asyncio.get_running_loop()
            self._watchers.join(self)

    # -- by the thread that listens --------------------------------------------------------

    def tell(self, news: Sequence[News]) -> None:
        """Say what changed; that it is told at all says that nothing is missed from now on.

        Raises RuntimeError where the loop of who watches is closed.
        """
        meant = [
            each
            for each in news
            if isinstance(each, Gap) or matches(self._filter, each.job, each.event)
        ]
        with self._lock:
            self._news.extend(meant)
            if len(self._news) > MOST_BEHIND:
                self._news = deque([_gap(self._news[0])])
        self._wake(self._listening, *[self._something] * bool(meant))

    def fail(self, error: Exception) -> None:
        """Raise it to who watches, after all that was told."""
        with self._lock:  # or who reads could look before, and clear what wakes it after
            self._error = error
        with suppress(RuntimeError):
            self._wake(self._listening, self._something)

    def _wake(self, *events: asyncio.Event) -> None:
        for event in events:
            if self._loop is not None and not event.is_set():
                self._loop.call_soon_threadsafe(event.set)


def _gap(first: News) -> Gap:
    """Return what stands for all from the first on."""
    since = first.since if isinstance(first, Gap) else first.event.at
    return Gap(since, datetime.now(UTC))


class Watchers:
    """Those who watch the jobs of one store. The thread that listens is there while somebody does.

    `aside` does what has to ask Redis when somebody comes or goes, so that nobody blocks.
    """

    def __init__(self, store: Store, aside: Callable[[Callable[[], None]], object]) -> None:
        self._store, self._aside = store, aside
        self._bell = store.pubsub.new_bell()
        self._lock = threading.Lock()
        self._watches: WeakSet[Watch] = WeakSet()
        self._thread: threading.Thread | None = None
        self._listening = False

    def join(self, watch_: Watch) -> None:
        """Tell it from now on, or as soon as there is a connection."""
        with self._lock:
            self._watches.add(watch_)
            if self._thread is None or not self._thread.is_alive():
                self._listening = False
                self._thread = threading.Thread(target=self._run, name="watchers", daemon=True)
                self._thread.start()
            listening = self._listening
        if listening:
            watch_.tell([])

    def leave(self, watch_: Watch) -> None:
        """Tell it no more."""
        with self._lock:
            self._watches.discard(watch_)
            over = self._thread is not None and not self._watches
        if over:
            self._aside(self._ring)

    def end(self, error: Exception) -> None:
        """Give those who watch an error, and return when the thread is over."""
        with self._lock:
            thread = self._thread
            for each in list(self._watches):
                each.fail(error)
            self._watches.clear()
        self._aside(self._ring)
        if thread:
            thread.join(2 * _TURN)

    def _ring(self) -> None:
        with suppress(StoreUnavailable):
            self._store.pubsub.ring(self._bell)

    # -- the thread ------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            for news in watch(self._store, Filter(), _TURN, bell=self._bell, going=self._wanted):
                self._tell(news)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who watch are told
            with self._lock:
                self._thread = None
                for each in list(self._watches):
                    each.fail(error)
                self._watches.clear()

    def _wanted(self) -> bool:
        """Whether somebody watches; where nobody does, this thread is over."""
        with self._lock:
            if not self._watches:
                self._thread = None
            return bool(self._watches)

    def _tell(self, news: Sequence[News]) -> None:
        with self._lock:
            self._listening = True
            for each in list(self._watches):
                try:
                    each.tell(news)
                except RuntimeError:  # its loop is closed
                    self._watches.discard(each)
