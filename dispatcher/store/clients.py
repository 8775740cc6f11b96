"""Clients of the HTTP API: what waits of each, and what their cursors are sealed with."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from dispatcher.store.connection import Repository
from dispatcher.store.errors import plain_errors
from dispatcher.store.schema import CLIENT_BYTES, CLIENT_JOBS
from dispatcher.store.values import Room

SECRET_BYTES = 32


class Clients(Repository):
    """The clients of the account, by the names of their keys."""

    def cursor_secret(self) -> bytes:
        """Return what cursors of lists are sealed with, the same for all gateways."""
        name = self._key("cursor_secret")
        with plain_errors():
            found: Any = self._redis.get(name)
            if found is None:  # another gateway may be quicker
                self._redis.set(name, secrets.token_bytes(SECRET_BYTES), nx=True)
                found = self._redis.get(name)
        return bytes(found)

    def row_secret(self) -> bytes:
        """Return what the keys of rows with a code are made with, the same for all imports."""
        return hashlib.blake2b(b"keys of rows", key=self.cursor_secret()).digest()

    def waiting(self) -> dict[str, Room]:
        """Return how much of each waits, as lua/lib/clients.lua counts it; of others nothing."""
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
