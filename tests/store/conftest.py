"""For each of the store's tests a namespace and a clock, on one real Redis."""

from __future__ import annotations

import itertools

import pytest
import redis

from dispatcher.store import Store
from support.clock import Clock

_NUMBERS = itertools.count(1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(redis_client: redis.Redis, clock: Clock) -> Store:
    """An empty store that goes by the test's clock."""
    return Store(redis_client, namespace=f"test{next(_NUMBERS)}", clock=clock)
