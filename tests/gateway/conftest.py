"""One real Redis and one real gateway for the cheap tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gateway_process import Gateway

from dispatcher.store import Store
from workers.embedded_redis import EmbeddedRedis


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis(tmp_path_factory.mktemp("redis"), appendfsync="no") as redis:
        yield redis


@pytest.fixture(scope="session")
def gateway(server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("gateway"), server.url) as running:
        yield running


@pytest.fixture
def store(server: EmbeddedRedis) -> Iterator[Store]:
    """The store that the gateway writes to, empty at first."""
    store = Store.from_url(server.url)
    with store.redis:
        store.redis.flushall()
        yield store
