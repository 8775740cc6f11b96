"""For each test a namespace of its own, and a dispatcher whose messages go nowhere."""

from __future__ import annotations

import itertools

import pytest
import redis

from dispatcher.client.dispatcher import Dispatcher
from dispatcher.client.messages import Messenger
from dispatcher.store import Store

_NUMBERS = itertools.count(1)


class Silent(Messenger):
    def __init__(self) -> None:
        super().__init__(lambda: pytest.fail("it sends nothing"))

    def _send(self, task: str, bundled: object) -> int:
        return 0


@pytest.fixture
def store(redis_client: redis.Redis) -> Store:
    return Store(redis_client, namespace=f"rows{next(_NUMBERS)}")


@pytest.fixture
def dispatcher(store: Store) -> Dispatcher:
    return Dispatcher(store, Silent())
