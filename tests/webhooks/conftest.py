"""For each test a namespace and a clock, and a receiver over real HTTP."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import redis

from dispatcher.store import Store
from dispatcher.store.webhooks import Webhooks
from support.clock import Clock
from support.webhook_receiver import Receiver, receiving

_NUMBERS = itertools.count(1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(redis_client: redis.Redis, clock: Clock) -> Store:
    return Store(redis_client, namespace=f"hooks{next(_NUMBERS)}", clock=clock)


@pytest.fixture
def webhooks(store: Store) -> Webhooks:
    return store.webhooks


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running
