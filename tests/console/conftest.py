"""One real Redis and one real gateway for the console's tests, and people who are logged in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dispatcher.model.api_key import Scope
from dispatcher.store import Store
from support.console_browser import Page, chromium
from support.console_client import Person, key
from support.gateway_process import Gateway
from support.redis_inside import redis_of
from workers.devstack.embedded_server import EmbeddedServer

FLOWER = "http://flower.example:5555"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path_factory.mktemp("redis"), appendfsync="no") as redis:
        yield redis


@pytest.fixture(scope="session")
def gateway(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    with Gateway(folder, server.url, DISPATCHER_FLOWER_URL=FLOWER) as running:
        yield running


@pytest.fixture
def store(server: EmbeddedServer) -> Iterator[Store]:
    """The store that the gateway stands on, empty at first."""
    store = Store.from_url(server.url)
    with redis_of(store):
        redis_of(store).flushall()
        yield store


@pytest.fixture
def stranger(gateway: Gateway, store: Store) -> Iterator[Person]:
    with Person(gateway.url) as person:
        yield person


@pytest.fixture
def operator(gateway: Gateway, store: Store) -> Iterator[Person]:
    with Person(gateway.url) as person:
        assert person.log_in(key(store)).status_code == 200
        yield person


@pytest.fixture
def reader(gateway: Gateway, store: Store) -> Iterator[Person]:
    with Person(gateway.url) as person:
        assert person.log_in(key(store, Scope.READ, name="watcher")).status_code == 200
        yield person


@pytest.fixture(scope="module")
def browser(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(gateway.url, tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(browser: Page, store: Store) -> Iterator[Page]:
    """Somebody who operates, logged in; what the browser complains of is a failure."""
    browser.leave()
    browser.forget()
    browser.size(1280, 900)
    browser.log_in(key(store))
    yield browser
    assert browser.leave() == []
