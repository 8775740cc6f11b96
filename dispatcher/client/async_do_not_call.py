"""The do-not-call list from asyncio: `AsyncDispatcher.dnc`, the names of `Dispatcher.dnc`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import islice

from dispatcher.client.do_not_call import DoNotCalls
from dispatcher.client.threads import Threads
from dispatcher.model.do_not_call import Entry
from dispatcher.values.durations import MomentLike

PAGE = 500
"""Entries read in a thread at a time."""


class AsyncDoNotCalls:
    """Numbers that are not called. See DoNotCalls for what each method takes and raises."""

    def __init__(self, list_: DoNotCalls, threads: Threads) -> None:
        self._list, self._threads = list_, threads

    async def add(
        self,
        *numbers: str,
        region: str | None = None,
        reason: str = "",
        until: MomentLike | None = None,
        tag: str | None = None,
        keep_number: bool = True,
    ) -> list[str]:
        """Put numbers on the list; return the ids of jobs that may be calling one of them now."""
        return await self._threads.run(
            self._list.add,
            *numbers,
            region=region,
            reason=reason,
            until=until,
            tag=tag,
            keep_number=keep_number,
        )

    async def remove(
        self, *numbers: str, region: str | None = None, tag: str | None = None, note: str = ""
    ) -> int:
        """Take numbers off the list; return how many entries are gone."""
        return await self._threads.run(
            self._list.remove, *numbers, region=region, tag=tag, note=note
        )

    async def check(self, number: str, region: str | None = None) -> list[Entry]:
        """Return the entries that keep a number from being called; none: it may be."""
        return await self._threads.run(self._list.check, number, region)

    async def list(self) -> AsyncIterator[Entry]:
        """Yield all entries, in no order, with whole numbers."""
        entries = self._list.list()
        while page := await self._threads.run(lambda: [*islice(entries, PAGE)]):
            for entry in page:
                yield entry
