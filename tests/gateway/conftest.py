"""One real Redis and one real gateway for the cheap tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dispatcher.model.api_key import Scope
from dispatcher.store import Store
from support.api_client import Client, client
from support.gateway_process import Gateway
from support.redis_inside import redis_of
from workers.devstack.embedded_server import EmbeddedServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path_factory.mktemp("redis"), appendfsync="no") as redis:
        yield redis


@pytest.fixture(scope="session")
def gateway(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("gateway"), server.url) as running:
        yield running


@pytest.fixture
def store(server: EmbeddedServer) -> Iterator[Store]:
    """The store that the gateway writes to, empty at first."""
    store = Store.from_url(server.url)
    with redis_of(store):
        redis_of(store).flushall()
        yield store


@pytest.fixture
def billing(gateway: Gateway, store: Store) -> Client:
    """A service that asks for calls."""
    return client(gateway, store, "billing", Scope.ENQUEUE)


@pytest.fixture
def dashboard(gateway: Gateway, store: Store) -> Client:
    """Somebody who looks."""
    return client(gateway, store, "dashboard", Scope.READ)


@pytest.fixture
def ops(gateway: Gateway, store: Store) -> Client:
    """Somebody who acts."""
    return client(gateway, store, "ops", Scope.OPERATE)
