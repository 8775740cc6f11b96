"""What the API's routes stand on, made once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from dispatcher.client.dispatcher import Dispatcher
from dispatcher.client.messages import Messenger
from dispatcher.client.waiting import Waiters
from dispatcher.model.api_key import ApiKey
from dispatcher.model.job import Job
from dispatcher.store import Store
from dispatcher.store.api_keys import ApiKeys
from dispatcher.store.values import Accepted, Room
from workers.engine.waker import Waker
from workers.gateway.api.accepting import Asked, accept
from workers.gateway.api.authenticator import Caller
from workers.gateway.api.cursors import Cursors
from workers.gateway.api.liveness import Liveness
from workers.gateway.api.pool import Pool
from workers.gateway.api.together import Together
from workers.gateway.sharing import Sharing

CLIENTS = 256
"""Clients whose dispatchers are kept."""


@dataclass(frozen=True)
class Services:
    """What wakes workers returns at once."""

    store: Store
    messenger: Messenger
    waker: Waker
    sharing: Sharing
    region: str | None = None
    pool: Pool = field(default_factory=Pool)

    @cached_property
    def keys(self) -> ApiKeys:
        """The API keys."""
        return self.store.api_keys

    @cached_property
    def waiters(self) -> Waiters:
        """Those who wait for jobs to end: all of them on one connection."""
        return Waiters(self.store, self.pool.aside)

    @cached_property
    def cursors(self) -> Cursors:
        """What seals the places where lists go on."""
        return Cursors(self.store.clients.cursor_secret)

    @cached_property
    def liveness(self) -> Liveness:
        """What ends the waits of those who may wait no more."""
        return Liveness(self.keys, self.pool)

    def nudge(self) -> None:
        """Say that there may be something to dial."""
        self.waker.nudge()

    @cached_property
    def accepting(self) -> Together[Asked, Accepted]:
        """What enqueues the calls that are asked for one by one."""
        return Together(self.pool, accept, "accept")

    def dispatcher(self, caller: Caller) -> Dispatcher:
        """Return what enqueues in a client's name: its keys mean nothing to any other."""
        return self._of_client(caller.name, self.sharing.room_of(caller.key))

    @cached_property
    def _of_client(self) -> Callable[[str, Room], Dispatcher]:
        return lru_cache(maxsize=CLIENTS)(self._new_dispatcher)

    def _new_dispatcher(self, name: str, room: Room) -> Dispatcher:
        return Dispatcher(
            self.store,
            self.messenger,
            actor=name,
            scope=name,
            wake=self.waker.wake,
            room=room,
            region=self.region,
        )

    async def ended(
        self, key: ApiKey, id_: str, within: float, left: Callable[[], Awaitable[bool]]
    ) -> Job:
        """Return a job when it has ended, or after so many seconds.

        Raises UnknownJob; Problem where too many wait; NotLetIn where the key ends meanwhile, and
        ClientDisconnect where the client is gone, as `left` says.
        """
        with self.sharing.waits.one(key.name), self.waiters.waiting(id_) as future:
            try:
                async with asyncio.timeout(within):
                    return await self.liveness.during(key, asyncio.wrap_future(future), left)
            except TimeoutError:
                return await self.pool.run(self.store.jobs.get, id_)
