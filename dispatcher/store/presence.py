"""What processes tell of themselves every few seconds, as long as they run.

Plain commands on one hash, so that a user of Redis who may do little else (Flower's) can tell it.
"""

from __future__ import annotations

import math
from typing import Any

from dispatcher.store.connection import Connection, Repository
from dispatcher.store.errors import plain_errors


class Presence(Repository):
    """A hash `key` of the schema: id of a process -> '<ms> <what it tells>'.

    What was not told again for `forgotten` ms goes with the next that is told.
    """

    def __init__(self, connection: Connection, key: str, forgotten: int) -> None:
        super().__init__(connection)
        self._name, self._forgotten = self._key(key), forgotten

    def tell(self, id_: str, text: str) -> None:
        """Tell something now; forget what is old."""
        now = self._now()
        with plain_errors():
            pipe = self._pipeline()
            pipe.hset(self._name, id_, f"{now:.0f} {text}")
            pipe.pexpire(self._name, self._forgotten)
            pipe.hgetall(self._name)
            *_, found = pipe.execute()
            longest = self._forgotten
            if old := [id_ for id_, text in found.items() if abs(now - _moment(text)) > longest]:
                self._redis.hdel(self._name, *old)

    def leave(self, id_: str) -> None:
        """Tell that a process ends as it was asked to."""
        with plain_errors():
            self._redis.hdel(self._name, id_)

    def told(self) -> list[tuple[str, float, str]]:
        """Return whose it is, when it was told (ms since the epoch), and what is told, of each."""
        with plain_errors():
            found: Any = self._redis.hgetall(self._name)
        return [
            (id_.decode(), _moment(told), told.partition(b" ")[2].decode())
            for id_, told in found.items()
        ]


def _moment(told: bytes) -> float:
    """Return when it was told; of what another release tells otherwise, long ago."""
    try:
        return float(told.partition(b" ")[0])
    except ValueError:
        return -math.inf
