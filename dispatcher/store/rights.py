"""What the user of Redis must be allowed, looked at before anything is done.

An operation that lacks a right would stop half-way. What the repositories ask without an operation
would fail only when it is needed, as when a page of the console is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dispatcher.store.errors import NotAllowed, not_allowed
from dispatcher.store.library import Library

TRANSACTION = frozenset({"MULTI", "EXEC"})
"""Without the right to the first, redis-py sends what is in between all the same, one by one."""
DIRECT = frozenset(
    {
        *("DEL", "EXISTS", "EXPIRE", "GET", "INCR", "PEXPIRE", "PTTL", "SET"),
        *("INFO", "PING", "TIME"),
        *("HDEL", "HGET", "HGETALL", "HKEYS", "HLEN", "HMGET", "HSCAN", "HSET"),
        *("LRANGE", "RPUSH", "SMEMBERS"),
        *("XRANGE", "XREVRANGE", "XTRIM"),
        *("ZCARD", "ZCOUNT", "ZLEXCOUNT", "ZRANGE", "ZRANGEBYSCORE", "ZREVRANGE", "ZSCAN"),
        *("ZSCORE", "PUBLISH", "SUBSCRIBE"),
        *("FUNCTION|LOAD", "WAIT"),
    }
)
"""What the repositories ask without an operation; a test compares it with what they write.

PSUBSCRIBE is not here: who watches all jobs needs a rule of its own, and nobody else does.
"""
TOGETHER = frozenset(
    {
        *("HGET", "HGETALL", "LLEN", "LRANGE"),
        *("ZCARD", "ZCOUNT", "ZRANGE", "ZRANGEBYSCORE", "ZREVRANGEBYSCORE"),
    }
)
"""What they have the operation `read_together` ask, which itself names no command; tested, too."""
_ALWAYS = frozenset({"EXISTS", "GET", "TIME"})
"""What every operation asks first: what the records are, and what time it is."""
_FOLLOWS = {"enqueue": "wake"}
"""What the same process does next: a job that it may accept, but not send on its way, would wait
without a word.
"""


class Rights:
    """The rights of our user. `ask` runs an operation without looking at them."""

    def __init__(
        self, ask: Callable[[str, Mapping[str, Any]], Any], library: Callable[[], Library]
    ) -> None:
        self._ask, self._library = ask, library
        self._known: frozenset[str] | None = None  # what we are known to have the right to

    def of(self, operations: Iterable[str]) -> frozenset[str]:
        """Return the commands without which one of these operations, or what follows, would stop
        half-way.
        """
        wanted = {*operations}
        then = {_FOLLOWS[each] for each in wanted & {*_FOLLOWS}}
        return self._library().commands_of(wanted | then)

    def all(self) -> frozenset[str]:
        """Return what one must be allowed who uses the whole store."""
        return self._library().all_commands() | TRANSACTION | DIRECT | TOGETHER

    def require(self, commands: frozenset[str] = frozenset()) -> None:
        """Look whether the records are of our schema, and whether we have the right to these
        commands. Each is looked at once.

        Raises OtherSchema where they are not, NotAllowed where we have not, StoreUnavailable.
        """
        if self._known is None or not commands <= self._known:
            self._look("check_schema", commands)
            self._known = commands | (self._known or frozenset())

    def require_again(self) -> None:
        """Look whether all that was so still is. Raises as `require`."""
        self._look("check_schema", self._known or frozenset())

    def require_all(self) -> None:
        """Look at all rights, also at those that we were known to have. Raises as `require`."""
        self._look("check_schema", self.all())
        self._known = self.all()

    def require_writes(self) -> None:
        """Look whether Redis takes writes now, and whether we have all rights; nothing is written.
        Raises as `require`.
        """
        self._look("check_writable", self.all())

    def forget(self) -> None:
        """Look anew, the next time: a right was taken away."""
        self._known = None

    def _look(self, operation: str, commands: frozenset[str]) -> None:
        asked = {"commands": sorted(commands | _ALWAYS), "now": 0}  # to read the clock is a right
        missing = self._ask(operation, asked)
        if missing:
            rules = " ".join(rule.decode() for rule in missing)
            raise NotAllowed(not_allowed("Redis", rules))
