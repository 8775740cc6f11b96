"""What all tests stand on."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, settings

from dispatcher.store.redis_url import connect
from workers.devstack.embedded_server import EmbeddedServer
from workers.devstack.redis_server import find_server, server_version

pytest.register_assert_rewrite("support")  # a failed assert there says its values as well

from support.altered import nothing_altered  # noqa: E402
from support.compiling import compile_share  # noqa: E402
from support.leftovers import none_left  # noqa: E402
from support.spreading import WORKERS, Spread, place  # noqa: E402

# A run says the same of the same code: it looks at the same examples each time, but with the
# profile `others`. No promise is about how long an example takes on a busy machine. Examples share
# a test's fixtures knowingly: each makes a store of its own where that matters.
settings.register_profile(
    "here",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("others", settings.get_profile("here"), derandomize=False)
settings.load_profile("here")

# What collecting makes stays to the end. To look through it for garbage again and again, while it
# grows and in each test, is a fifth of the time that collecting takes.
gc.disable()

# Shells start background jobs with these ignored, and every process that a test starts would
# inherit that: Ctrl-C could not be tested where the suite itself runs in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "played(by): what that function came to is the `outcome`")
    compile_share(config)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: place(item.nodeid)[0])


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Spread:
    config.option.loadscopereorder = False  # our order, not the group with the most tests first
    return Spread(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Say how many `-n auto` is; `-n logical` stays a worker for each core."""
    return WORKERS if config.option.numprocesses == "auto" else None


@pytest.fixture(scope="session", autouse=True)
def _run_leaves_no_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with none_left(tmp_path_factory.getbasetemp()):
        yield


@pytest.fixture(autouse=True)
def _test_leaves_no_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with none_left(tmp_path_factory.getbasetemp()):
        yield


@pytest.fixture(autouse=True)
def _test_alters_nothing() -> Iterator[None]:
    with nothing_altered():
        yield


def pytest_report_header() -> str:
    """Say which server the tests stand on: each machine has its own."""
    found = find_server()
    return f"Redis server: {server_version(found)} ({found})"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A real Redis for the session, where a folder of tests has no other."""
    with EmbeddedServer(tmp_path_factory.mktemp("redis") / "data") as running:
        _servers.append(running)
        yield running


_servers: list[EmbeddedServer] = []
"""The session's, once a test has asked for it."""


@pytest.fixture(scope="module", autouse=True)
def _file_leaves_no_keys() -> Iterator[None]:
    """Empty the session's server after each file: KEYS and SCAN in tests look through all there is,
    which took a sixth of the suite's processor time.
    """
    yield
    for server in _servers:
        with connect(server.url) as client:
            client.flushall(asynchronous=True)


@pytest.fixture(scope="session")
def redis_client(server: EmbeddedServer) -> Iterator[redis.Redis]:
    with connect(server.url) as client:
        yield client


Scenario = Callable[[Path], Any]
"""Plays a part in a folder of its own; returns what its tests look at."""


@pytest.fixture(scope="session")
def _played() -> dict[Scenario, Future[Any]]:
    return {}


@pytest.fixture
def outcome(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    _played: dict[Scenario, Future[Any]],
) -> Any:
    """What the scenario came to that the test is marked with: its answer, or its exception.

    The tests of a scenario share one performance.
    """
    scenario: Scenario = request.node.get_closest_marker("played").kwargs["by"]
    if scenario not in _played:
        with ThreadPoolExecutor(1) as pool:
            folder = tmp_path_factory.mktemp(scenario.__name__)
            _played[scenario] = pool.submit(scenario, folder)
    return _played[scenario].result()
