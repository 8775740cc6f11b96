"""The producer's side for asyncio: the same names as Dispatcher's, awaited.

What blocks is done in a few threads; who waits or watches holds none, however many they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, Unpack

from dispatcher.client.alerts import AlertOptions
from dispatcher.client.async_do_not_call import AsyncDoNotCalls
from dispatcher.client.async_many import AsyncResults, Requests
from dispatcher.client.async_watching import Watch, Watchers
from dispatcher.client.dispatcher import Dispatcher
from dispatcher.client.handles import JobHandle
from dispatcher.client.many import Rows, Written
from dispatcher.client.threads import Threads
from dispatcher.client.waiting import Closed, Waiters
from dispatcher.model.campaign import Campaign
from dispatcher.model.filters import Filter
from dispatcher.model.job import Job
from dispatcher.store.values import Enqueued
from dispatcher.values.durations import DurationLike
from dispatcher.values.namespace import DEFAULT_NAMESPACE
from dispatcher.why import Why

if TYPE_CHECKING:
    from dispatcher.model.request import JobOptions, JobRequest
    from dispatcher.store.alert_values import Recorded

THREADS = 8
"""How many things are asked of Redis at once."""


@dataclass(frozen=True, slots=True)
class AsyncJobHandle:
    """An accepted job: its id, whether this request made it, and the way to its outcome.

    `index` is the place of its request among those of `call_many`, from 0.
    """

    id: str
    new: bool = field(compare=False)
    dispatcher: AsyncDispatcher = field(repr=False, compare=False)
    index: int = field(default=0, compare=False)

    async def refresh(self) -> Job:
        """Return the job as it stands now. Raises UnknownJob past its retention."""
        return await self.dispatcher.job(self.id)

    async def wait(self, timeout: float | None = None) -> Job:
        """Return the job when it has ended; `timeout` in seconds, None waits for ever.

        Raises NotFinished, UnknownJob, StoreUnavailable (where Redis stays away until the timeout).
        """
        return await self.dispatcher.wait(self.id, timeout)

    async def why(self) -> Why:
        """Say why it has not been called yet, and what happens next. Raises UnknownJob."""
        return await self.dispatcher.why(self.id)

    async def cancel(self, *, note: str = "") -> Job:
        """Cancel it, unless it is dialled already. Raises as `Dispatcher.cancel` does."""
        return await self.dispatcher.cancel(self.id, note=note)

    async def retry(
        self, *, note: str = "", expires: DurationLike | None = None, uncertain: bool = False
    ) -> Job:
        """Have it called again. Raises as `Dispatcher.retry` does."""
        return await self.dispatcher.retry(self.id, note=note, expires=expires, uncertain=uncertain)


class AsyncDispatcher:
    """What Dispatcher does, for asyncio. See there what each raises; and after `close`, Closed.

    Who is cancelled while it awaits waits no more; whether a job was enqueued that was asked for in
    that moment, its key tells. It is bound to no event loop.
    """

    def __init__(self, dispatcher: Dispatcher, *, threads: int = THREADS) -> None:
        self._threads = Threads(threads)
        self._dispatcher = dispatcher
        self._waiters = Waiters(dispatcher.store, self._threads.aside)
        self._watchers = Watchers(dispatcher.store, self._threads.aside)
        self.dnc = AsyncDoNotCalls(dispatcher.dnc, self._threads)

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        broker_url: str | None = None,
        namespace: str = DEFAULT_NAMESPACE,
        actor: str = "producer",
        region: str | None = None,
        threads: int = THREADS,
    ) -> Self:
        """Return a dispatcher on the Redis at `url`, as `Dispatcher.from_url` does.

        `threads`: how many things are asked of Redis at once; the rest waits its turn.
        Raises StoreUnsuitable, InvalidNamespace, UnknownRegion. Nothing is sent yet, and nothing
        blocks.
        """
        return cls(
            Dispatcher.from_url(
                url, broker_url=broker_url, namespace=namespace, actor=actor, region=region
            ),
            threads=threads,
        )

    async def close(self) -> None:
        """End what listens and close the connections, when all that was begun is done.

        Those who wait or watch are given Closed, and so is what still waits for a thread.
        """
        if self._threads.close():
            await asyncio.to_thread(self._finish)

    def _finish(self) -> None:
        self._waiters.end(Closed())
        self._watchers.end(Closed())
        self._threads.finish()
        self._dispatcher.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # -- enqueue ---------------------------------------------------------------------------

    async def call(
        self,
        recipient: str,
        *,
        say: str | None = None,
        play: str | None = None,
        **options: Unpack[JobOptions],
    ) -> AsyncJobHandle:
        """Enqueue one call, as `Dispatcher.call` does."""
        return self._own(
            await self._threads.run(self._dispatcher.call, recipient, say=say, play=play, **options)
        )

    async def conference(
        self, participants: Sequence[str], **options: Unpack[JobOptions]
    ) -> AsyncJobHandle:
        """Enqueue a conference of two or three numbers. Raises as `call` does."""
        return self._own(
            await self._threads.run(self._dispatcher.conference, participants, **options)
        )

    async def submit(self, request: JobRequest) -> AsyncJobHandle:
        """Enqueue a request that is validated already."""
        return self._own(await self._threads.run(self._dispatcher.submit, request))

    def call_many(self, requests: Requests) -> AsyncResults:
        """Enqueue many, of an iterable or an asynchronous one, as `Dispatcher.call_many` does:
        loop over it with `async for`, or `await` its `collect()`.
        """
        return AsyncResults(requests, self._write, self._handle)

    async def _write(self, rows: Rows) -> Written:
        return await self._threads.run(self._suitable_write, rows)

    def _suitable_write(self, rows: Rows) -> Written:
        self._dispatcher.messenger.require_suitable()
        return self._dispatcher.write(rows)

    def _handle(self, done: Enqueued, index: int) -> AsyncJobHandle:
        return AsyncJobHandle(done.id, done.new, self, index)

    def _own(self, handle: JobHandle) -> AsyncJobHandle:
        return AsyncJobHandle(handle.id, handle.new, self, handle.index)

    async def alert(self, summary: str, **options: Unpack[AlertOptions]) -> Recorded:
        """Report that something is wrong, as `Dispatcher.alert` does."""
        return await self._threads.run(self._dispatcher.alert, summary, **options)

    # -- what became of it -----------------------------------------------------------------

    async def find(self, *, key: str) -> AsyncJobHandle | None:
        """Return the job that was enqueued with an idempotency key, None where there is none."""
        found = await self._threads.run(self._dispatcher.find, key=key)
        return None if found is None else self._own(found)

    async def job(self, id_: str) -> Job:
        """Return a job as it stands now."""
        return await self._threads.run(self._dispatcher.job, id_)

    async def why(self, id_: str) -> Why:
        """Say why a job has not been called yet, and what happens next."""
        return await self._threads.run(self._dispatcher.why, id_)

    async def campaign(self, name: str) -> Campaign:
        """Return what became of a campaign so far. Raises as `Dispatcher.campaign` does."""
        return await self._threads.run(self._dispatcher.campaign, name)

    async def wait(self, id_: str, timeout: float | None = None) -> Job:
        """Return the job when it has ended; `timeout` in seconds, None waits for ever."""
        self._threads.require_open()
        with self._waiters.waiting(id_) as future:
            ended = asyncio.wrap_future(future)
            try:
                if (await asyncio.wait([ended], timeout=timeout))[0]:
                    return ended.result()
            finally:
                ended.cancel()
        return await self._threads.run(self._waiters.at_last, id_)

    def watch(self, filter_: Filter | None = None) -> Watch:
        """Return every change of the jobs that are meant (all unless told), as it happens.

        `async for change in d.watch(…)`; within `async with d.watch(…) as changes`, nothing is
        missed that happens in the block. A Gap says that changes may have been missed: Redis was
        out of reach, or they were read too slowly.
        """
        self._threads.require_open()
        return Watch(self._watchers, filter_ or Filter())

    # -- what its producer does to it ------------------------------------------------------

    async def cancel(self, id_: str, *, note: str = "") -> Job:
        """Cancel a job that is not dialled yet; return it."""
        return await self._threads.run(self._dispatcher.cancel, id_, note=note)

    async def retry(
        self,
        id_: str,
        *,
        note: str = "",
        expires: DurationLike | None = None,
        uncertain: bool = False,
    ) -> Job:
        """Have a job called again that ended without reaching anybody; return it."""
        return await self._threads.run(
            self._dispatcher.retry, id_, note=note, expires=expires, uncertain=uncertain
        )
