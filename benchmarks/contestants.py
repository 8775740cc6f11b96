"""Who dials side by side: the whole stack of a checkout, or a bare task on a task queue.

Each has a Redis of its own, and all ask the same provider. Who has no turn is frozen.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.arrivals import Provider
from benchmarks.checkout import Checkout
from benchmarks.circumstances import ROOT
from benchmarks.processes import Group, cpu_seconds, started, wait_idle
from benchmarks.stand import SPOKEN, fill, free_port
from workers.devstack.embedded_server import EmbeddedServer

ROLES = "from workers.run import PROCESSES; print(*PROCESSES)"
NOT_RUN = frozenset({"flower"})
WORKER = "dial"
WITHIN = 300.0  # seconds: longer than a turn takes on a busy machine
QUEUES = ("celery", "dramatiq", "huey", "rq")


@dataclass(frozen=True)
class Moment:
    """How far a turn has come, and the processor time (seconds) that was taken until then."""

    calls: int
    worker: float
    stack: float
    redis: float


@dataclass(frozen=True)
class Contestant:
    """One of them, running."""

    name: str
    redis: EmbeddedServer
    groups: tuple[Group, ...]
    filling: tuple[str, ...]
    environment: dict[str, str]

    @property
    def worker(self) -> Group:
        """What asks the provider."""
        return self.groups[0]

    def group(self, name: str) -> Group:
        """Return one of its processes by its role."""
        return next(group for group in self.groups if group.name == name)

    def freeze(self) -> None:
        """Stop all of its processes."""
        self._send(signal.SIGSTOP)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Let all go on within the block, but the worker: who measures lets it go in time."""
        self._send(signal.SIGCONT, but=self.worker)
        try:
            yield
        finally:
            self.freeze()

    def enqueue(self, jobs: range) -> None:
        """Enqueue calls to the so many-th numbers."""
        command = [*self.filling, str(jobs.start), str(len(jobs))]
        subprocess.run(command, env=self.environment, check=True)

    def reached(self, asked: Provider, calls: int) -> Moment:
        """Wait until the provider has been asked for so many calls."""
        deadline = time.monotonic() + WITHIN
        while (seen := asked.counts()[0]) < calls:
            assert time.monotonic() < deadline, f"{self.name}: {calls - seen} calls never came"
            time.sleep(0.05)
        worker, *others = (group.cpu() for group in self.groups)
        return Moment(seen, worker, worker + sum(others), self.redis_cpu())

    def redis_cpu(self) -> float:
        """Return the processor time that its Redis has used."""
        assert self.redis.process is not None
        return cpu_seconds(self.redis.process.pid)

    def _send(self, number: signal.Signals, but: Group | None = None) -> None:
        for group in self.groups:
            if group is not but:
                group.send(number)


@contextmanager
def stack(
    checkout: Checkout,
    provider: Provider,
    threads: int,
    *,
    roles: Collection[str] = (),
    what: str = SPOKEN,
    **settings: str,
) -> Iterator[Contestant]:
    """Run the processes of a checkout, or those of some roles; never Flower."""
    with ExitStack() as running:
        redis = _redis(running)
        given = _settings(redis.url, provider.url, threads)
        environment = checkout.environment(**given | settings)
        names = roles or set(checkout.run(ROLES).split()) - NOT_RUN
        groups = []
        for name in sorted(names, key=lambda name: name != WORKER):
            threads_of = (f"concurrency={threads}",) if name == WORKER else ()
            command = checkout.command("workers.run", name, *threads_of)
            groups.append(running.enter_context(started(name, command, environment)))
        filling = (str(checkout.python), "-P", "-c", fill(what), redis.url)
        yield _settled(Contestant(checkout.name, redis, tuple(groups), filling, environment))


@contextmanager
def bare_task(queue: str, provider: Provider, threads: int) -> Iterator[Contestant]:
    """Run the worker of a task queue with a bare task."""
    with ExitStack() as running:
        redis = _redis(running)
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "BARE_REDIS": redis.url,
            "BARE_PROVIDER": provider.url,
        }
        command = (sys.executable, "-m", *_worker(queue, threads, redis.url))
        worker = running.enter_context(started(queue, command, environment))
        filling = (sys.executable, "-m", "benchmarks.peers", queue)
        yield _settled(Contestant(f"bare task, {queue}", redis, (worker,), filling, environment))


def queues_here() -> list[str]:
    """Return the task queues that are installed."""
    return [queue for queue in QUEUES if find_spec(queue)]


def _worker(queue: str, threads: int, redis_url: str) -> tuple[str, ...]:
    task, many = f"benchmarks.peers.{queue}_task", str(threads)
    no_forks = ("-w", "rq.worker.SimpleWorker")
    return {
        "celery": ("celery", "-A", task, "--quiet", "worker", "--pool=threads", "-c", many),
        "dramatiq": ("dramatiq", task, "--processes=1", f"--threads={many}"),
        "huey": ("huey.bin.huey_consumer", f"{task}.huey", "-q", "-k", "thread", "-w", many),
        "rq": ("rq.cli", "worker-pool", "bare", "-q", "-n", many, "-u", redis_url, *no_forks),
    }[queue]


def _redis(running: ExitStack) -> EmbeddedServer:
    folder = running.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
    return running.enter_context(EmbeddedServer(Path(folder, "redis")))


def _settings(redis_url: str, provider_url: str, threads: int) -> dict[str, str]:
    """Return what must be set: every other guard is as it is by default, in old versions too."""
    port = free_port()
    return {
        "DISPATCHER_REDIS_URL": redis_url,
        "XOXZO_API_HOST": provider_url,
        "XOXZO_API_SID": "sid",
        "XOXZO_API_AUTH_TOKEN": "token",
        "DISPATCHER_ALLOWED_COUNTRIES": "JP",
        "DISPATCHER_SPEND_PER_DAY": "100000000",
        "DISPATCHER_CALLER": "+815012345678",
        "DISPATCHER_RATE_LIMIT": "none",
        "DISPATCHER_MAX_CONNECTIONS": str(threads),
        "DISPATCHER_CHECK_FIRST": "1h",  # dials only
        "DISPATCHER_LOG_LEVEL": "WARNING",
        "DISPATCHER_GATEWAY_PORT": str(port),
        "DISPATCHER_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "DISPATCHER_SECRET_KEY": secrets.token_hex(32),
    }


def _settled(contestant: Contestant) -> Contestant:
    wait_idle(contestant.groups)
    contestant.freeze()
    return contestant
