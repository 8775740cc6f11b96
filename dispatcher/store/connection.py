"""The store's way to Redis: one account's keys and operations, by one clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dispatcher.store import scripts
from dispatcher.store.redis_url import plain_errors

if TYPE_CHECKING:
    import redis
    from redis.client import Pipeline
    from redis.commands.core import Script


class Connection:
    """A Redis client, the namespace of the keys, and the clock.

    `clock` returns ms since the epoch and is for tests; without it every operation obeys Redis'
    own clock, so that the clocks of producers and workers do not matter.
    """

    def __init__(
        self, client: redis.Redis, namespace: str, clock: Callable[[], float] | None
    ) -> None:
        self.redis = client
        self.root = f"{{{namespace}}}"
        self._clock = clock
        self._scripts: dict[str, Script] = {}

    def key(self, *parts: str) -> str:
        """Return the name of a key; `store/lua/_record.lua` lists them."""
        return ":".join((self.root, *parts))

    def account_key(self, *parts: str) -> str:
        """Return the name of a key of what belongs to the account: limits, pace, credit, holds."""
        return self.key(*parts)

    def run(self, operation: str, *arguments: Any) -> Any:
        """Run an operation of store/lua, one atomic step. Raises StoreUnavailable."""
        with plain_errors():
            return self.run_in(None, operation, *arguments)

    def run_in(self, pipe: Pipeline | None, operation: str, *arguments: Any) -> Any:
        """Have a pipeline run an operation when it is executed; None runs it now."""
        clock = self._clock() if self._clock else ""
        return self._script(operation)([self.root], [clock, *arguments], pipe)

    def now(self) -> float:
        """Return Redis' clock (or the injected one) in ms since the epoch."""
        if self._clock:
            return self._clock()
        with plain_errors():
            second, microsecond = self.redis.time()
        return float(second * 1000 + microsecond / 1000)

    def _script(self, operation: str) -> Script:
        script = self._scripts.get(operation)
        if script is None:
            source = scripts.source(operation)
            script = self._scripts[operation] = self.redis.register_script(source)
        return script


class Repository:
    """What the repositories share. Their operations raise StoreUnavailable and may be repeated."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._redis = connection.redis
        self._key = connection.key
        self._account_key = connection.account_key
        self._run = connection.run
        self._now = connection.now

    def _pipeline(self, *, atomic: bool = False) -> Pipeline:
        return self._redis.pipeline(transaction=atomic)


def milliseconds(seconds: float) -> int:
    """Return a duration as the operations take it."""
    return round(seconds * 1000)
