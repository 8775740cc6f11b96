"""A real Redis, and a dispatcher on it; nothing dials."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from dispatcher import Dispatcher
from dispatcher.client.messages import Messenger
from dispatcher.store import Store
from dispatcher.store.redis_url import connect
from workers.devstack.embedded_server import EmbeddedServer

_NUMBERS = itertools.count(1)


@pytest.fixture
def store(server: EmbeddedServer) -> Iterator[Store]:
    """A store of its own, with connections of its own, and Redis' own clock."""
    with connect(server.url) as client:
        yield Store(client, namespace=f"client{next(_NUMBERS)}")


@pytest.fixture
def messenger(server: EmbeddedServer, store: Store) -> Messenger:
    return Messenger.to_broker(server.url, f"client{next(_NUMBERS)}")


@pytest.fixture
def d(store: Store, messenger: Messenger) -> Any:
    return Dispatcher(store, messenger, actor="billing")
