"""The one way of tests to Redis behind a store: what stands there, or is broken on purpose."""

from __future__ import annotations

import redis

from dispatcher.store import Store
from dispatcher.store.connection import Connection


def redis_of(store: Store) -> redis.Redis:
    """Return the client of a store."""
    return store._connection.redis


def key_of(store: Store, *parts: str) -> str:
    """Return the name of a key of a store."""
    return store._connection.key(*parts)


def root_of(store: Store) -> str:
    """Return what all keys of a store begin with."""
    return store._connection.root


def connection_of(store: Store) -> Connection:
    """Return a store's way to Redis."""
    return store._connection
