"""A stack on several machines: Redis and gateway on one, the provider and workers on others."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dispatcher import Dispatcher
from dispatcher.sandbox import SandboxOptions
from support.chaos_stage import ROOT, SETTINGS
from support.machines import Host, machines
from support.polling import eventually
from support.redis_inside import redis_of
from support.wrong_clock import clock_ahead
from workers.devstack.redis_server import find_server
from workers.run import READY

_REDIS, _GATEWAY, _PROVIDER = 6379, 8080, 8090
_AN_HOUR = 3600
WINDOW = 20.0
"""Seconds in which there is a callback of a call whose answer was lost, also where the provider had
no network meanwhile.
"""


@dataclass
class FarApart:
    """What can be asked of the stack, and done to its machines."""

    folder: Path
    hosts: Mapping[str, Host]
    dispatcher: Dispatcher
    ids: list[str] = field(default_factory=list)
    processes: dict[str, ExitStack] = field(default_factory=dict)

    def enqueue(self, many: int) -> list[str]:
        """Enqueue calls to numbers of their own, all of which answer."""
        first = len(self.ids)
        rows = (
            {"recipient": f"+8180{2000 + n // 9000:04d}{1000 + n % 9000:04d}", "say": "Hi"}
            for n in range(first, first + many)
        )
        bulk = self.dispatcher.call_many(rows).collect()
        assert not bulk.refused
        new = [handle.id for handle in bulk.jobs]
        self.ids += new
        return new

    def books(self) -> list[dict[str, Any]]:
        """Return every call that was placed, by the provider's books."""
        provider = self.hosts["provider"]
        found: list[dict[str, Any]] = json.loads(
            provider.get(f"http://{provider.address}:{_PROVIDER}/_sandbox/calls")
        )
        return found

    def wait_for_calls(self, many: int) -> None:
        """Wait until the provider has placed so many calls."""
        eventually(lambda: len(self.books()) >= many, f"{many} calls", more=self.told)

    def until_ended(self, ids: list[str], within: float) -> None:
        """Wait until all of the jobs have ended."""
        eventually(lambda: not self._open(ids), "every job has ended", within, more=self.told)

    def assert_called_once(self) -> None:
        """Everybody was called, and nobody twice, by the provider's books; the records say so."""
        calls = Counter(call["recipient"] for call in self.books())
        jobs = [self.dispatcher.store.jobs.get(id_) for id_ in self.ids]
        wrong = [job for job in jobs if calls[job.numbers[0]] != 1 or job.state != "completed"]
        assert not wrong, (
            f"{[calls[job.numbers[0]] for job in wrong]} calls of {wrong}\n{self.told()}"
        )

    def _open(self, ids: list[str]) -> int:
        return sum(not (job and job.terminal) for job in self.dispatcher.store.jobs.get_many(ids))

    def told(self) -> str:
        """Return the last words of every process, for a failure's message."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"{log.name}: {log.read_text()[-1500:]}" for log in logs)

    def start(self, host: str, role: str, clock: Mapping[str, str] | None = None) -> None:
        """Start one of the dispatcher's processes on a host."""
        name = f"{role}-{host}"
        options = [f"name={name}", "concurrency=6"] if role == "dial" else []
        env = {**self._environment(), **(clock or {})}
        argv = [sys.executable, "-m", "workers.run", role, *options]
        self.processes[name] = ExitStack()
        self.processes[name].enter_context(
            self.hosts[host].running(argv, self.folder / f"{name}.log", env)
        )

    def wait_until_ready(self, host: str) -> None:
        """Wait until the worker of a host takes work."""
        log = self.folder / f"dial-{host}.log"
        eventually(lambda: READY in log.read_text(), f"{host} is ready", more=self.told)

    def kill(self, name: str) -> None:
        """End a process, such as `dial-first`, without a warning."""
        self.processes.pop(name).close()

    def _environment(self) -> dict[str, str]:
        known, records = SandboxOptions(), self.hosts["records"].address
        provider = self.hosts["provider"].address
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            **SETTINGS,
            "DISPATCHER_EVIDENCE_WINDOW": f"{WINDOW:.0f}s",
            "DISPATCHER_REDIS_URL": f"redis://{records}:{_REDIS}/0",
            "DISPATCHER_PUBLIC_URL": f"http://{records}:{_GATEWAY}",
            "DISPATCHER_GATEWAY_HOST": "0.0.0.0",
            "DISPATCHER_GATEWAY_PORT": str(_GATEWAY),
            "XOXZO_API_HOST": f"http://{provider}:{_PROVIDER}",
            "XOXZO_API_SID": known.sid,
            "XOXZO_API_AUTH_TOKEN": known.token,
        }


@contextmanager
def far_apart(folder: Path, *workers: str) -> Iterator[FarApart]:
    """Give a stack with a dialling worker and a beat on each of the hosts named.

    The clock of the last one's machine is an hour ahead, where that can be.
    """
    with machines("records", "provider", *workers) as hosts, ExitStack() as undo:
        undo.enter_context(_redis(hosts["records"], folder))
        undo.enter_context(_sandbox(hosts["provider"], folder))
        dispatcher = Dispatcher.from_url(f"unix://{folder / 'redis.sock'}")
        undo.callback(redis_of(dispatcher.store).close)
        eventually((folder / "redis.sock").exists, "Redis listens")
        stack = FarApart(folder, hosts, dispatcher)
        undo.callback(lambda: [process.close() for process in stack.processes.values()])
        stack.start("records", "gateway")
        ahead = clock_ahead(folder, _AN_HOUR)
        for worker in workers:
            clock = ahead if worker == workers[-1] else None
            stack.start(worker, "dial", clock)
            stack.start(worker, "beat", clock)
        for worker in workers:
            stack.wait_until_ready(worker)
        yield stack


def _redis(host: Host, folder: Path) -> Any:
    socket = ("--unixsocket", str(folder / "redis.sock"))
    argv = [find_server(), "--port", str(_REDIS), "--bind", host.address, *socket]
    argv += ["--protected-mode", "no", "--save", "", "--dir", str(folder)]
    return host.running(argv, folder / "redis.log")


def _sandbox(host: Host, folder: Path) -> Any:
    listen = [f"--host={host.address}", f"--port={_PROVIDER}"]
    options = ["--credits=1000000", "--ring=0.3", "--latency=0.05"]
    argv = [sys.executable, "-m", "dispatcher.sandbox", *listen, *options]
    env = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(ROOT)}
    return host.running(argv, folder / "provider.log", env)
