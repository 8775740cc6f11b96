"""Stores that 0.1.0 wrote: as they are, and brought up to date."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from dispatcher.store import Store
from dispatcher.store.migrate import Migration
from dispatcher.store.redis_url import connect
from support import kept_store
from support.clock import Clock
from support.kept_store import KEPT
from support.redis_inside import connection_of, redis_of, root_of
from workers.devstack.embedded_server import EmbeddedServer

HERE = Path(__file__).parent
_NUMBERS = itertools.count(1)

Copy = Callable[[str], Store]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """One of their own: a migration looks through all keys, and others would through theirs."""
    with EmbeddedServer(tmp_path_factory.mktemp("redis") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def redis_client(server: EmbeddedServer) -> Iterator[redis.Redis]:
    with connect(server.url) as client:
        yield client


@pytest.fixture(scope="session")
def now(redis_client: redis.Redis) -> float:
    """When the store was kept, ms since the epoch; it stands below KEPT from then on."""
    return kept_store.load(HERE, redis_client, KEPT)


@pytest.fixture(scope="session")
def copy(redis_client: redis.Redis, now: float) -> Copy:
    """Return a function that writes what stands below a root under a namespace of its own."""

    def copied(root: str) -> Store:
        name = f"copy{next(_NUMBERS)}"
        kept_store.copy(redis_client, root, f"{{{name}}}")
        clock = Clock()
        clock.ms = now
        return Store(redis_client, namespace=name, clock=clock)

    return copied


@pytest.fixture
def old(copy: Copy) -> Iterator[Store]:
    """A store as 0.1.0 left it."""
    store = copy(KEPT)
    yield store
    kept_store.remove(redis_of(store), root_of(store))


@pytest.fixture(scope="session")
def migrated(copy: Copy) -> Store:
    """One that was brought up to date; to be looked at only."""
    store = copy(KEPT)
    Migration(connection_of(store)).run()
    return store


@pytest.fixture
def at_work(migrated: Store, copy: Copy) -> Iterator[Store]:
    """Another one that was brought up to date, to be worked on."""
    store = copy(root_of(migrated))
    yield store
    kept_store.remove(redis_of(store), root_of(store))


@pytest.fixture(scope="session")
def expected() -> dict[str, Any]:
    """What 0.1.0 answered about it."""
    found: dict[str, Any] = kept_store.expected(HERE)
    return found


@pytest.fixture
def server_url(server: EmbeddedServer) -> str:
    """Where the server is, for processes."""
    return server.url
