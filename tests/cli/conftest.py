"""A Redis that is empty for each test, and a command line that knows it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatcher.sandbox import SandboxOptions, running
from dispatcher.store import Store
from support import ports
from support.cli_shell import Shell
from support.redis_inside import redis_of
from workers import commands, run
from workers.devstack.embedded_server import EmbeddedServer
from workers.gateway import server as gateway_server


@pytest.fixture
def store(server: EmbeddedServer) -> Iterator[Store]:
    """The store that the command line writes to, empty at first."""
    store = Store.from_url(server.url)
    with redis_of(store):
        redis_of(store).flushall()
        yield store


@pytest.fixture
def nowhere(tmp_path: Path, free_port: int, another_free_port: int) -> Shell:
    """A command line that has been told of no Redis, and to leave the usual ports alone."""
    folder = tmp_path / "work"
    folder.mkdir()
    ports = {
        "DISPATCHER_FLOWER_PORT": str(free_port),
        "DISPATCHER_GATEWAY_PORT": str(another_free_port),
    }
    return Shell(folder, **ports, LOGNAME="sam")


@pytest.fixture
def shell(nowhere: Shell, store: Store, server: EmbeddedServer) -> Shell:
    """A command line that knows the Redis."""
    return Shell(nowhere.folder, **nowhere.variables, DISPATCHER_REDIS_URL=server.url)


@pytest.fixture(scope="session")
def provider() -> Iterator[dict[str, str]]:
    """A provider's sandbox with 500 credits, as environment variables."""
    options = SandboxOptions(credits=500, token="token-that-never-shows")
    with running(options) as url:
        yield {
            "XOXZO_API_HOST": url,
            "XOXZO_API_SID": options.sid,
            "XOXZO_API_AUTH_TOKEN": options.token,
        }


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port of the loopback device that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def free_port() -> int:
    """A port of the loopback device that nobody listens on."""
    return ports.free_port()


another_free_port = free_port


@pytest.fixture
def unable_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a process that should have refused fail the test at once, and not run for ever."""

    def started(*_: object, **__: object) -> None:
        pytest.fail("it started")

    for module, name in (
        (run, "create_app"),
        (run, "create_call_task"),
        (commands, "Supervisor"),
        (commands, "Stack"),
        (gateway_server, "serve"),
    ):
        monkeypatch.setattr(module, name, started)
