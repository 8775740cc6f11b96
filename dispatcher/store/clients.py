"""What waits of each client of the HTTP API, as lua/lib/clients.lua counts it."""

from __future__ import annotations

from typing import Any

from dispatcher.store.connection import Repository
from dispatcher.store.errors import plain_errors
from dispatcher.store.schema import CLIENT_BYTES, CLIENT_JOBS
from dispatcher.store.values import Room


class Clients(Repository):
    """The clients of the account, by the names of their keys."""

    def waiting(self) -> dict[str, Room]:
        """Return how much of each waits; of those that are not named nothing does."""
        with plain_errors():
            raw: Any = self._redis.hgetall(self._key("clients"))
        counts = {name.decode(): int(value) for name, value in raw.items()}
        names = sorted(
            name.removesuffix(CLIENT_JOBS) for name in counts if name.endswith(CLIENT_JOBS)
        )
        return {
            name: Room(counts[name + CLIENT_JOBS], counts.get(name + CLIENT_BYTES, 0))
            for name in names
        }
