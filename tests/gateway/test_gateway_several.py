"""A gateway of several processes is one to whoever asks, also when one of them is killed."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import requests

from dispatcher.model.api_key import Scope
from dispatcher.model.process import Role
from dispatcher.store import Store
from support.api_client import client
from support.gateway_process import ROOT, Gateway
from support.polling import eventually
from support.service_manager import ServiceManager, listening
from workers.devstack.embedded_server import EmbeddedServer
from workers.health.folder import Folder

PROCESSES, OF_CLIENT, TRIES = 2, 4, 12
HEARTBEATS = "heartbeats"


@pytest.fixture(scope="module")
def manager() -> Iterator[ServiceManager]:
    with listening() as made:
        yield made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("several")


@pytest.fixture(scope="module")
def several(server: EmbeddedServer, manager: ServiceManager, folder: Path) -> Iterator[Gateway]:
    """A gateway of two processes, as a service of systemd's; it ends in order."""
    variables = {
        "DISPATCHER_GATEWAY_PROCESSES": f"{PROCESSES}",
        "DISPATCHER_GATEWAY_REQUESTS_PER_CLIENT": f"{OF_CLIENT}",
        "DISPATCHER_METRICS": "open",
        "RUNTIME_DIRECTORY": str(folder / HEARTBEATS),
        "NOTIFY_SOCKET": manager.address,
    }
    with Gateway(folder, server.url, **variables) as running:
        yield running
        began = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - began < 10
    assert Folder(folder / HEARTBEATS).heartbeats() == []


@pytest.fixture
def wires() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def pids(folder: Path) -> set[int]:
    """The processes that serve now."""
    return {each.pid for each in Folder(folder / HEARTBEATS).heartbeats() if each.ready}


def anew(gateway: Gateway, path: str, **headers: str) -> requests.Response:
    """Ask on a connection of its own, which any of the processes may take."""
    return requests.get(gateway.url + path, headers={"Connection": "close", **headers}, timeout=20)


def answered(gateway: Gateway) -> float:
    """How many health checks /metrics has counted."""
    pattern = r'gateway_answer_seconds_count\{method="GET",route="/healthz"\} ([\d.]+)'
    found = re.search(pattern, anew(gateway, "/metrics").text)
    return float(found[1]) if found else 0


class Flooder:
    """A client that has as much under way as it may: it waits for a job of its own to end."""

    def __init__(self, gateway: Gateway, store: Store, wires: ExitStack) -> None:
        self._client = client(gateway, store, "flooder", Scope.ENQUEUE)
        self._gateway, self._wires, self._id = gateway, wires, self._client.call()["id"]
        self._shown = {"Authorization": f"Bearer {self._client.text}"}

    def look(self) -> requests.Response:
        """Ask for one thing more."""
        return anew(self._gateway, "/v1/jobs", **self._shown)

    def is_full(self) -> bool:
        """Wait once more, where that may be; return whether nothing more is taken."""
        self.wait()
        return self.look().status_code == 429

    def wait(self) -> socket.socket:
        wire = self._wires.enter_context(self._gateway.wire())
        said = "".join(f"{name}: {value}\r\n" for name, value in self._shown.items())
        wire.sendall(f"GET /v1/jobs/{self._id}?wait=60 HTTP/1.1\r\nHost: x\r\n{said}\r\n".encode())
        return wire


def test_each_process_tells_of_itself(
    several: Gateway, store: Store, folder: Path, manager: ServiceManager
) -> None:
    eventually(lambda: len(pids(folder)) == PROCESSES, "both have said that they serve")

    def told() -> set[str]:
        return {process.name for process in store.heartbeats.roll().of(Role.GATEWAY)}

    eventually(lambda: {"gateway-1", "gateway-2"} <= told(), "Redis knows")
    eventually(lambda: manager.has_heard("READY=1"), "systemd was told")


def test_what_one_client_has_under_way_counts_at_all_of_them(
    several: Gateway, store: Store, wires: ExitStack
) -> None:
    flooder = Flooder(several, store, wires)
    eventually(flooder.is_full, "it has as much as it may")
    told = [flooder.look() for _ in range(TRIES)]
    assert [answer.status_code for answer in told] == [429] * TRIES
    assert f"REQUESTS_PER_CLIENT allows {OF_CLIENT}" in told[0].json()["detail"]
    wires.close()
    eventually(lambda: flooder.look().status_code == 200, "places were given back")


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="tells who has a connection")
def test_who_is_killed_takes_along_what_it_held_and_nothing_else(
    several: Gateway, store: Store, folder: Path, wires: ExitStack
) -> None:
    eventually(lambda: len(pids(folder)) == PROCESSES, "both serve")
    flooder = Flooder(several, store, wires)
    for _ in range(TRIES):
        anew(several, "/healthz")
    counted, before = answered(several), pids(folder)
    assert counted >= TRIES
    kept: list[socket.socket] = []

    def both_have_some() -> bool:
        kept.append(_asked(several, wires))
        return 0 < len(_held(min(before), several, kept)) < len(kept)

    eventually(both_have_some, "each process has a connection")
    eventually(flooder.is_full, "it has as much as it may")
    killed = min(before)
    held = _held(killed, several, kept)
    os.kill(killed, signal.SIGKILL)
    for _ in range(TRIES):
        assert anew(several, "/healthz").status_code == 200
        assert answered(several) > counted
        counted = answered(several)
    eventually(lambda: len(pids(folder) - {killed}) == PROCESSES, "another runs in its place")
    assert re.search(r"gateway-\d ended \(signal 9: Killed\) .*starting it again", several.log)
    assert answered(several) >= counted
    assert [wire for wire in kept if _lost(wire)] == held
    wires.close()
    eventually(lambda: flooder.look().status_code == 200, "what the killed one held is free, too")


def _asked(gateway: Gateway, wires: ExitStack) -> socket.socket:
    """Return a connection that is kept after its first answer."""
    wire = wires.enter_context(gateway.wire())
    wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b'"ok"' in wire.recv(65536)
    return wire


def _held(pid: int, gateway: Gateway, wires: list[socket.socket]) -> list[socket.socket]:
    """Return those of our connections that a process has (proc_pid_net(5))."""
    table = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    ends = {f"socket:[{row[9]}]": [end.split(":")[1] for end in row[1:3]] for row in table}
    its = [ends.get(file) for file in _files(pid)]
    return [each for each in wires if _ports(gateway.port, each.getsockname()[1]) in its]


def _files(pid: int) -> Iterator[str]:
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            yield str(file.readlink())


def _ports(*numbers: int) -> list[str]:
    return [f"{number:04X}" for number in numbers]


def _lost(wire: socket.socket) -> bool:
    """Whether a connection has ended; one that is kept has nothing to say."""
    wire.settimeout(0)
    try:
        return not wire.recv(1)
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_one_that_cannot_listen_says_so_and_starts_none(server: EmbeddedServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "DISPATCHER_REDIS_URL": server.url,
            "DISPATCHER_GATEWAY_PORT": f"{port}",
            "DISPATCHER_GATEWAY_PROCESSES": f"{PROCESSES}",
        }
        command = [sys.executable, "-m", "workers.run", "gateway"]
        ran = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
    assert ran.returncode == 2
    assert ran.stderr == (
        f"error: DISPATCHER_GATEWAY_PORT={port}: cannot listen on 127.0.0.1:{port}"
        " (Address already in use); choose another port\n"
    )
