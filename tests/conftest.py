"""What all tests stand on."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
import redis

from dispatcher.store.redis_url import connect
from workers.devstack.embedded_server import EmbeddedServer
from workers.devstack.redis_server import find_server, server_version

pytest.register_assert_rewrite("support")  # a failed assert there says its values as well

# Shells start background jobs with these ignored, and every process that a test starts would
# inherit that: Ctrl-C could not be tested where the suite itself runs in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def pytest_report_header() -> str:
    """Say which server the tests stand on: each machine has its own."""
    found = find_server()
    return f"Redis server: {server_version(found)} ({found})"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A real Redis for the session, where a folder of tests has no other."""
    with EmbeddedServer(tmp_path_factory.mktemp("redis") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def redis_client(server: EmbeddedServer) -> Iterator[redis.Redis]:
    with connect(server.url) as client:
        yield client
