"""One real Redis for all of the store's tests, and for each test a namespace and a clock."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import redis
from store_parts import Clock

from dispatcher.redis_url import connect
from dispatcher.store import Store
from workers.embedded_redis import EmbeddedRedis

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis(tmp_path_factory.mktemp("redis") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def redis_client(server: EmbeddedRedis) -> Iterator[redis.Redis]:
    with connect(server.url) as client:
        yield client


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(redis_client: redis.Redis, clock: Clock) -> Store:
    """An empty store that goes by the test's clock."""
    return Store(redis_client, namespace=f"test{next(_NUMBERS)}", clock=clock)
