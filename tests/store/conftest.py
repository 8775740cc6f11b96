"""For each of the store's tests a namespace and a clock, on one real Redis."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import redis

from dispatcher.store import Store
from dispatcher.store.redis_url import connect
from support.clock import Clock
from support.redis_servers import RedisProcess
from support.standby import Standby, standby
from support.store_jobs import POLICY
from workers.devstack.embedded_server import EmbeddedServer
from workers.devstack.redis_server import find_servers
from workers.engine.apply_callbacks import ApplyReports

_NUMBERS = itertools.count(1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(redis_client: redis.Redis, clock: Clock) -> Store:
    """An empty store that goes by the test's clock."""
    return Store(redis_client, namespace=f"test{next(_NUMBERS)}", clock=clock)


@pytest.fixture
def apply(store: Store) -> ApplyReports:
    """What applies reports to the store's jobs."""
    return ApplyReports(store, store.callbacks, POLICY)


@pytest.fixture
def own_database(server: EmbeddedServer) -> Iterator[redis.Redis]:
    """A database of its own, that each example may empty."""
    with connect(server.url.removesuffix("/0") + "/1") as client:
        yield client


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standby]:
    """A master and its replica, for a file."""
    with standby(tmp_path_factory.mktemp("two")) as made:
        yield made


@pytest.fixture
def pair(two: Standby) -> Iterator[Standby]:
    """The same; whatever a test does to the replica, the next one finds it in step."""
    yield two
    two.mend()


@pytest.fixture(scope="module", params=find_servers(), ids=lambda path: path.name)
def process(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisProcess]:
    """A server of a file's own, once for each kind that is here."""
    with RedisProcess(tmp_path_factory.mktemp("redis"), binary=request.param) as running:
        yield running
