"""Every process ends within ten seconds of SIGTERM, though its Redis or broker is gone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from dispatcher.store.redis_url import connect
from support import rabbitmq
from support.e2e_stack import Up, processes_of
from support.forked import Forked
from support.kept_waiting import KeptWaiting
from support.polling import WITHIN, eventually
from support.ports import free_port
from support.rabbitmq import RabbitNode
from support.redis_servers import RedisProcess
from workers.devstack import own_process

RUNS = {
    "dial": "consuming",
    "call-task": "consuming",
    "webhooks": "consuming",
    "beat": "",
    "gateway": "listening on",
    "flower": "Flower on http",
}
"""The roles, and what each says when it is at work, or (Flower) about to be. Beat says nothing."""
ENDS_WITHIN = 10.0
REAPER = "process_reaper.py"
SETTLES = 4.0
"""Seconds that a process has to find out what has gone: it hangs only where it tries again."""


class Roles:
    """A process of each role, in a folder."""

    def __init__(self, folder: Path, records: str, broker: str) -> None:
        self._folder, self._flower = folder, free_port()
        self._environment = own_process.environment(
            {
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(folder),
                "XOXZO_API_SID": "sid",
                "XOXZO_API_AUTH_TOKEN": "token",
                "DISPATCHER_ALLOWED_COUNTRIES": "any",
                "DISPATCHER_SPEND_PER_DAY": "none",
                "DISPATCHER_REDIS_URL": records,
                "DISPATCHER_BROKER_URL": broker,
                "DISPATCHER_SECRET_KEY": "k3y-of-the-tests-of-endings",
                "DISPATCHER_GATEWAY_PORT": str(free_port()),
                "DISPATCHER_FLOWER_PORT": str(self._flower),
                "PYTHONUNBUFFERED": "1",
            }
        )
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start them, and wait for those that do not say when they are at work."""
        self._folder.mkdir()
        for role in RUNS:
            with (self._folder / role).open("wb") as log:
                self._processes[role] = Forked(
                    own_process.command("workers.run", role),
                    cwd=self._folder,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
        eventually(self._flower_listens, "Flower listens", 2 * WITHIN, lambda: self.log("flower"))
        eventually(self._beat_handles_sigterm, "beat runs", 2 * WITHIN, lambda: self.log("beat"))

    def _beat_handles_sigterm(self) -> bool:
        status = Path(f"/proc/{self._processes['beat'].pid}/status").read_text()
        caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
        return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)

    def _flower_listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._flower), 1):
            return True
        return False

    def log(self, role: str) -> str:
        return (self._folder / role).read_text()

    def wait_until(self, said: dict[str, str]) -> None:
        for role, words in said.items():
            eventually(
                lambda role=role, words=words: words in self.log(role),  # type: ignore[misc]
                f"{role} says {words!r}",
                2 * WITHIN,
                lambda role=role: self.log(role),  # type: ignore[misc]
            )

    def stop(self) -> dict[str, float]:
        """Send SIGTERM to all; return how many seconds each took, of those that took too long.

        What a process waited for a processor, on a busy machine, is not its own fault.
        """
        began = time.monotonic()
        waiting = {}
        for role, process in self._processes.items():
            assert process.poll() is None, process.args
            process.send_signal(signal.SIGTERM)
            waiting[role] = KeptWaiting(process.pid)
        late: dict[str, float] = {}
        while waiting:
            for role in list(waiting):
                waiting[role].look()
                ended, took = self._processes[role].poll() is not None, time.monotonic() - began
                if took - waiting[role].seconds >= ENDS_WITHIN:
                    late[role] = took
                if ended or role in late:
                    del waiting[role]
            time.sleep(0.02)
        return late

    def kill(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()


@contextmanager
def at_work(folder: Path, records: str, broker: str) -> Iterator[Roles]:
    """Start a process of each role, and wait until all are at work."""
    with ExitStack() as exits:
        roles = Roles(folder, records, broker)
        exits.callback(roles.kill)
        roles.start()
        roles.wait_until(RUNS)
        yield roles


def test_where_redis_hangs(tmp_path: Path) -> None:
    """Records and broker: connections stay open and say nothing."""
    with (
        RedisProcess(tmp_path / "redis") as redis,
        at_work(tmp_path / "roles", redis.url, redis.url) as roles,
    ):
        redis.freeze()
        time.sleep(SETTLES)
        assert roles.stop() == {}


def test_where_redis_is_gone(tmp_path: Path) -> None:
    with (
        RedisProcess(tmp_path / "redis") as redis,
        at_work(tmp_path / "roles", redis.url, redis.url) as roles,
    ):
        redis.kill()
        time.sleep(SETTLES)  # a worker's heartbeat may be what finds out: it tries again unsaid
        assert roles.stop() == {}


@pytest.mark.skipif(bool(rabbitmq.missing()), reason=rabbitmq.missing())
@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_where_rabbitmq_is_gone(tmp_path: Path, how: str) -> None:
    with (
        RedisProcess(tmp_path / "redis") as redis,
        RabbitNode(tmp_path / "node") as node,
        at_work(tmp_path / "roles", redis.url, node.url()) as roles,
    ):
        getattr(node, how)()
        time.sleep(SETTLES)
        assert roles.stop() == {}


def test_where_the_broker_was_never_there(tmp_path: Path) -> None:
    broker = f"amqp://guest:guest@127.0.0.1:{free_port()}//"
    with RedisProcess(tmp_path / "redis") as redis, ExitStack() as exits:
        roles = Roles(tmp_path / "roles", redis.url, broker)
        exits.callback(roles.kill)
        roles.start()
        refused = dict.fromkeys(RUNS.keys() - {"gateway", "beat"}, "Connection refused")
        roles.wait_until({**refused, "gateway": "listening on"})
        assert roles.stop() == {}


def test_none_outlives_its_up_and_the_reaper_killed_together(tmp_path: Path) -> None:
    """The sandbox and the embedded Redis do not know of it, and are ended here."""
    with Up(tmp_path, "--no-flower", start=subprocess.Popen) as up, connect(up.redis_url) as redis:
        keepers = [up.pid, *(p for p, line in processes_of(tmp_path).items() if REAPER in line)]
        for pid in keepers:
            os.kill(pid, signal.SIGSTOP)  # so that the reaper does not see the other one's end
        for pid in keepers:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not _of_ours(tmp_path), "all have ended", ENDS_WITHIN + SETTLES)
        redis.shutdown(nosave=True)  # its process does not show its environment
        for pid in processes_of(tmp_path):
            os.kill(pid, signal.SIGKILL)


def _of_ours(folder: Path) -> list[str]:
    return [line for line in processes_of(folder).values() if "workers.run" in line]
