"""The profile valkey-ha: its servers and sentinels, by the commands of the compose file."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Self

import pytest
import redis
import yaml

from support.polling import eventually
from support.ports import free_port
from support.proxies import replaced
from workers.devstack.redis_server import find_server

COMPOSE = Path(__file__).resolve().parents[2] / "docker-compose.yml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
SHORT = {"down-after-milliseconds voice 5000": "down-after-milliseconds voice 2500"}
"""Half a second is too short: sentinels ping as seldom, and call the new master gone as well."""
FOLLOWS_WITHIN = 120.0
"""Seconds: sentinels look at a server that came back every ten, and wait before they judge it."""
DEFAULTS = {
    "${DISPATCHER_APPENDFSYNC:-everysec}": "everysec",
    "${DISPATCHER_REDIS_MAXMEMORY:-2gb}": "2gb",
}


class Service:
    """A service of the file as a process of this machine, where a name is a port."""

    def __init__(self, name: str, folder: Path, master: int, changes: dict[str, str]) -> None:
        self.name, self.port, self._folder = name, free_port(), folder
        shell, option, script = SERVICES[name]["command"]
        own = {"$$": "$", "/data": str(folder), "valkey-1 6379": f"127.0.0.1 {master or self.port}"}
        changes = {key: value.format(port=self.port) for key, value in changes.items()}
        self._argv = [shell, option, replaced(script, changes | own)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        env = {"PATH": os.environ["PATH"], "HOSTNAME": self.name}
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._argv, env=env, stdout=log, stderr=log)
        eventually(self._answers, f"{self.name} answers", more=(self._folder / "log").read_text)
        return self

    def stop(self) -> None:
        if self._process:
            with self._process as process:
                process.kill()

    def ask(self, *command: str) -> Any:
        with redis.Redis(port=self.port, decode_responses=True) as client:
            return client.execute_command(*command)

    def role(self) -> Any:
        with suppress(redis.RedisError):
            return self.ask("INFO", "replication")["role"]

    def _answers(self) -> bool:
        with suppress(redis.RedisError):
            return bool(self.ask("PING"))
        return False


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[list[Service]]:
    """The two servers, watched by the three sentinels."""
    binary = str(find_server())
    server = {
        "--port 6379": "--port {port}",
        '--replica-announce-ip "$$HOSTNAME"': "--replica-announce-ip 127.0.0.1",
        "exec valkey-server": f"exec {binary}",
        **DEFAULTS,
    }
    sentinel = {
        "port 26379": "port {port}",
        "announce-ip $$HOSTNAME": "announce-ip 127.0.0.1",
        'exec valkey-sentinel "$$file"': f'exec {binary} "$$file" --sentinel',
        **SHORT,
    }
    with ExitStack() as exits:
        servers: list[Service] = []
        for name in ("valkey-1", "valkey-2"):
            master = servers[0].port if servers else 0
            made = Service(name, tmp_path / name, master, server)
            exits.callback(made.stop)
            servers.append(made.start())
        eventually(lambda: servers[1].role() == "slave", "the second follows the first")
        for name in sorted(each for each in SERVICES if each.startswith("sentinel")):
            watch = Service(name, tmp_path / name, servers[0].port, sentinel)
            exits.callback(watch.stop)
            watch.start()
        eventually(lambda: _usable(watch), "three sentinels know each other")
        yield servers


def _usable(sentinel: Service) -> bool:
    with suppress(redis.RedisError):
        return "3 usable" in str(sentinel.ask("SENTINEL", "CKQUORUM", "voice"))
    return False


def test_the_second_takes_over_and_stays_the_master_over_restarts(pair: list[Service]) -> None:
    first, second = pair
    assert first.ask("CONFIG", "GET", "appendonly") == {"appendonly": "yes"}
    assert first.ask("CONFIG", "GET", "maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    first.stop()
    eventually(lambda: second.role() == "master", "the second is the master")
    first.start()
    eventually(lambda: first.role() == "slave", "the first follows", FOLLOWS_WITHIN)
    second.stop()
    second.start()
    eventually(
        lambda: {first.role(), second.role()} == {"master", "slave"}, "one of each", FOLLOWS_WITHIN
    )
