"""Refusals take their time: who asks again at once, and is refused again, is slowed down.

A refusal costs nearly as much as an answer, and a thousand of them at one moment keep everybody
waiting. Whoever comes back only when `Retry-After` says never meets this.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

AT_ONCE, A_SECOND = 20, 20
"""Refusals of one client that are sent at once, and that follow each second."""
LONGEST = 30.0
"""Seconds for which one is kept at most: then it goes out, within as long a time again."""
MOST = 10_000
"""Clients that are kept in mind; those that were refused lately."""


class Brake:
    """How much each client was refused lately, by its name or address; `processes`: of a gateway of
    so many each tells its part.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        *,
        processes: int = 1,
    ) -> None:
        self._clock, self._chance = clock, chance
        self._each = processes / A_SECOND
        self._busy_until: dict[str, float] = {}

    async def hold(self, client: str) -> None:
        """Return when a client may be told that it is refused."""
        await asyncio.sleep(self.seconds(client))

    def seconds(self, client: str) -> float:
        """Count a refusal; return for how many seconds it is to be kept."""
        now = self._clock()
        until = max(now, self._busy_until.get(client, now)) + self._each
        wait = until - now - AT_ONCE / A_SECOND
        if wait > LONGEST:
            return LONGEST * (1 + self._chance())
        self._remember(client, until, now)
        return max(0.0, wait)

    def _remember(self, client: str, until: float, now: float) -> None:
        if client not in self._busy_until and len(self._busy_until) >= MOST:
            kept = {name: at for name, at in self._busy_until.items() if at > now}
            self._busy_until = kept if len(kept) < MOST else {}
        self._busy_until[client] = until
