"""Whether who asked may still be answered: what lasts ends soon after its key, or its client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from starlette.requests import ClientDisconnect

from dispatcher.model.api_key import ApiKey
from dispatcher.store.api_keys import ApiKeys
from dispatcher.store.errors import StoreUnavailable
from workers.gateway.api.pool import Pool

T = TypeVar("T")

LOOK_EVERY = 2.0
"""Seconds between two looks at a key; all that lasts in its name shares them."""


class Liveness:
    """Looks at the keys of those who wait."""

    def __init__(
        self, keys: ApiKeys, pool: Pool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys, self._pool, self._clock = keys, pool, clock
        self._looking = asyncio.Lock()
        self._looked: dict[str, float] = {}

    async def during(
        self, key: ApiKey, work: Awaitable[T], left: Callable[[], Awaitable[bool]]
    ) -> T:
        """Return what the work does. Raises NotLetIn when the key ends before it is done, and
        ClientDisconnect when nobody is there any more, as `left` says; the work is cancelled then.
        """
        doing = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait([doing], timeout=LOOK_EVERY))[0]:
                await self._require(key)
                if await left():
                    raise ClientDisconnect
            return doing.result()
        finally:
            doing.cancel()

    async def _require(self, key: ApiKey) -> None:
        """Raise NotLetIn where the key is over; where Redis does not say, it is not."""
        async with self._looking:
            now = self._clock()
            if now - self._looked.get(key.id, -LOOK_EVERY) < LOOK_EVERY / 2:
                return
            with suppress(StoreUnavailable):
                await self._pool.run(self._keys.require_live, key)
            self._looked = {
                id_: at for id_, at in self._looked.items() if now - at < LOOK_EVERY
            } | {key.id: now}
