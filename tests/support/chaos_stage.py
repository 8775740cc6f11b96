"""A stack whose processes die at command, and how its fate is judged by the provider's books."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import requests

from dispatcher import Dispatcher
from dispatcher.model.job import Job
from dispatcher.model.states import State
from dispatcher.sandbox import SandboxOptions
from dispatcher.store.errors import StoreUnavailable
from support.polling import eventually
from support.ports import free_port
from support.redis_inside import redis_of
from workers.devstack.embedded_server import EmbeddedServer
from workers.run import READY

ROOT = Path(__file__).resolve().parents[2]
READ_TIMEOUT = 2.0
LEASE = 4.0
CHECK_LEASE = 2.0
SETTINGS = {
    "DISPATCHER_CALLER": "+815011119999",
    "DISPATCHER_CHECK_FIRST": "1s",
    "DISPATCHER_CHECK_LONGEST": "2s",
    "DISPATCHER_CHECK_SHARE": "0.4",
    "DISPATCHER_RATE_LIMIT": "60",
    "DISPATCHER_MAX_ATTEMPTS": "30",
    "DISPATCHER_RECIPIENT_GAP": "0",
    "DISPATCHER_RECIPIENT_PER_DAY": "none",
    "DISPATCHER_BACKOFF_FIRST": "0.3s",
    "DISPATCHER_BACKOFF_LONGEST": "2s",
    "DISPATCHER_EVIDENCE_WINDOW": "3s",
    "DISPATCHER_CONNECT_TIMEOUT": "1s",
    "DISPATCHER_READ_TIMEOUT": f"{READ_TIMEOUT}s",
    "DISPATCHER_SECRET_KEY": "a-key-for-chaos-and-nothing-else",
    "DISPATCHER_LOG_LEVEL": "WARNING",
}
"""Waits that are minutes in earnest, cut short."""


class Stage:
    """Redis, the provider's sandbox, and processes forked at command. Use it in a `with` block."""

    def __init__(
        self,
        folder: Path,
        *,
        sandbox: Iterable[str] = (),
        callbacks: bool = False,
        appendfsync: str = "everysec",
        redis_url: str | None = None,
        lease: float = LEASE,
        **settings: str,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.redis = EmbeddedServer(folder / "redis", appendfsync=appendfsync)
        self._other_redis, self._lease = redis_url, lease
        self.traps = folder / "traps"
        self.alive: dict[str, int] = {}
        self._started: Counter[str] = Counter()
        self._sandbox_options = ("--credits=100000000", "--ring=0.3", *sandbox)
        self._settings = {**SETTINGS, **settings}
        if callbacks:
            port = free_port()
            self._settings["DISPATCHER_GATEWAY_PORT"] = str(port)
            self._settings["DISPATCHER_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
        self._callbacks = callbacks
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            self._exits = undo
            if not self._other_redis:
                undo.enter_context(self.redis)
            self._start_sandbox(undo)
            self._start_nursery(undo)
            self.dispatcher = Dispatcher.from_url(self.redis_url)
            undo.callback(redis_of(self.dispatcher.store).close)
            self._exits = undo.pop_all()
        self.start("beat")
        if self._callbacks:
            self.start("gateway")
            eventually(self._is_listening, "the gateway listens", more=self.told)
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    @property
    def redis_url(self) -> str:
        """Where the records and the queues are."""
        return self._other_redis or self.redis.url

    def _is_listening(self) -> bool:
        """Return whether callbacks can come: a busy machine starts the gateway after the calls."""
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(
                f"{self._settings['DISPATCHER_PUBLIC_URL']}/healthz", timeout=180
            ).ok
        return False

    def _start_sandbox(self, undo: ExitStack) -> None:
        argv = [sys.executable, "-m", "dispatcher.sandbox", *self._sandbox_options]
        process = undo.enter_context(
            subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        )
        undo.callback(process.kill)
        assert process.stdout
        self.provider = process.stdout.readline().split()[-1]

    def _start_nursery(self, undo: ExitStack) -> None:
        self._nursery = undo.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "support.chaos_nursery"],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )

        def close() -> None:
            assert self._nursery.stdin
            self._nursery.stdin.close()
            self._nursery.wait(60)

        undo.callback(close)

    def start(
        self,
        role: str,
        name: str = "",
        *,
        trap: dict[str, Any] | None = None,
        skew: float = 0,
        looks: bool = True,
        **options: Any,
    ) -> int:
        """Fork a process of a role; return its process id. A worker that does not `look` goes by
        wake-ups alone.
        """
        known = SandboxOptions()
        env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder),
            "XOXZO_API_HOST": self.provider,
            "XOXZO_API_SID": known.sid,
            "XOXZO_API_AUTH_TOKEN": known.token,
            "DISPATCHER_REDIS_URL": self.redis_url,
            **self._settings,
        }
        name = name or role
        if role == "dial":
            options |= {"name": name}
        order = {
            "role": role,
            "options": options,
            "env": env,
            "log": str(self.folder / f"{name}.log"),
            "lease": self._lease,
            "check_lease": CHECK_LEASE,
            "skew": skew,
            "looks": looks,
            "trap": trap and {"log": str(self.traps), "how": int(signal.SIGKILL), **trap},
        }
        assert self._nursery.stdin
        assert self._nursery.stdout
        self._nursery.stdin.write(json.dumps(order) + "\n")
        self._nursery.stdin.flush()
        self._started[name] += 1
        self.alive[name] = int(self._nursery.stdout.readline())
        return self.alive[name]

    def ready(self, name: str) -> bool:
        """Return whether a worker takes work: it says so in its log, once for each start."""
        log = self.folder / f"{name}.log"
        return log.exists() and log.read_text().count(READY) >= self._started[name]

    def kill(self, name: str) -> None:
        """End a process as the kernel does when memory is short."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.alive[name], signal.SIGKILL)

    # -- work ------------------------------------------------------------------------------

    def enqueue(self, many: int, start: int = 0, **options: Any) -> list[str]:
        """Enqueue calls to different numbers, all of which answer."""
        numbers = (
            f"+8180{2000 + n // 9000:04d}{1000 + n % 9000:04d}" for n in range(start, start + many)
        )
        rows = ({"recipient": number, "say": "Hi", **options} for number in numbers)
        bulk = self.dispatcher.call_many(rows).collect()
        assert not bulk.refused
        return [handle.id for handle in bulk.jobs]

    def jobs(self, ids: list[str]) -> list[Job]:
        """Return the jobs that are there; an empty list while Redis is away."""
        try:
            return [job for job in self.dispatcher.store.jobs.get_many(ids) if job]
        except StoreUnavailable:
            return []

    def open(self, ids: list[str]) -> int:
        """Return how many jobs have not ended yet; all of them while Redis is away."""
        jobs = self.jobs(ids)
        return len(ids) - sum(job.terminal for job in jobs)

    def until_ended(self, ids: list[str], within: float) -> list[Job]:
        """Wait until all jobs have ended, and return them."""
        eventually(lambda: not self.open(ids), "every job has ended", within, more=self.told)
        return self.jobs(ids)

    def told(self) -> str:
        """Return the last words of every process, for a failure's message."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"{log.name}: {log.read_text()[-1500:]}" for log in logs)

    def books(self) -> list[dict[str, Any]]:
        """Return every call that was placed, by the provider's own books."""
        answer = requests.get(f"{self.provider}/_sandbox/calls", timeout=180)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found

    def verdict(self, ids: list[str]) -> Verdict:
        return Verdict.of(self.jobs(ids), self.books(), self.dispatcher.store.statistics.counters())


@dataclass(frozen=True)
class Verdict:
    """How jobs ended, and what the provider's books say of it.

    `calls` counts the calls to each job's number. A call is `unowned` where no attempt knows its
    callid: then an attempt of its job must say that it may have been placed.
    """

    jobs: list[Job]
    calls: dict[str, int]
    unowned: dict[str, int]
    second_calls: int

    @classmethod
    def of(cls, jobs: list[Job], books: list[dict[str, Any]], counts: dict[str, int]) -> Self:
        calls = Counter(call["recipient"] for call in books)
        known = {callid for job in jobs for item in job.attempts for callid in item.callids}
        stray = Counter(call["recipient"] for call in books if call["callid"] not in known)
        return cls(
            jobs,
            {job.id: calls[job.numbers[0]] for job in jobs},
            {job.id: stray[job.numbers[0]] for job in jobs},
            counts["second_calls"],
        )

    @property
    def ends(self) -> Counter[str]:
        """How many jobs ended how: state, or state/reason."""
        words = (f"{job.state}/{job.reason or ''}".rstrip("/") for job in self.jobs)
        return Counter(words)

    @property
    def uncalled(self) -> list[Job]:
        """Jobs without a call."""
        return [job for job in self.jobs if not self.calls[job.id]]

    @property
    def called_twice(self) -> list[Job]:
        """Jobs whose person was called more than once."""
        return [job for job in self.jobs if self.calls[job.id] > 1]

    @property
    def second(self) -> int:
        """Calls to people who had been called already."""
        return sum(max(0, calls - 1) for calls in self.calls.values())

    def unknown_attempts(self, job: Job) -> int:
        """Attempts that are marked as maybe placed, for good."""
        return sum(item.result == "maybe_placed" for item in job.attempts)

    def assert_nothing_hidden(self) -> None:
        """All have ended; a call that no attempt knows of is one that may have been placed."""
        assert all(job.terminal for job in self.jobs)
        for job in self.jobs:
            assert self.unowned[job.id] <= self.unknown_attempts(job), job
            if job.state is State.COMPLETED:
                assert self.calls[job.id] >= 1, job

    def summary(self) -> dict[str, Any]:
        """Return the figures that matter."""
        return {
            "jobs": len(self.jobs),
            "ended": dict(self.ends),
            "without a call": len(self.uncalled),
            "called twice": len(self.called_twice),
            "second calls": self.second,
            "calls no attempt knows": sum(self.unowned.values()),
            "attempts that may have been placed": sum(map(self.unknown_attempts, self.jobs)),
        }


@dataclass
class Mayhem:
    """Kills one of the workers by turns, and Redis now and then, until all jobs have ended."""

    stage: Stage
    workers: int = 2
    every: float = 1.0
    concurrency: int = 4
    redis_kills: int = 0
    skews: tuple[float, ...] = ()
    away: float = 1.0
    rng: random.Random = field(default_factory=lambda: random.Random(1))
    killed: int = 0
    seen: int = 0  # events of the jobs at the last kill

    def run(self, ids: list[str], within: float) -> Verdict:
        """Work the jobs off amid the kills; fail where they have not ended within the seconds."""
        for n in range(self.workers):
            self._start(n)
        deadline, total = time.monotonic() + within, len(ids)
        redis_at = [total * (n + 1) // (self.redis_kills + 1) for n in range(self.redis_kills)]
        while left := self.stage.open(ids):
            assert time.monotonic() < deadline, (
                f"{left} of {total} jobs still open after {within:g} s:"
                f" {[job for job in self.stage.jobs(ids) if not job.terminal][:2]}\n"
                f"{self.stage.told()}"
            )
            if redis_at and total - left >= redis_at[0]:
                redis_at.pop(0)
                self._kill_redis()
            self._kill_a_worker(ids)
            time.sleep(self.every * self.rng.uniform(0.8, 1.2))
        return self.stage.verdict(ids)

    def _start(self, n: int) -> None:
        ahead = self.skews[n] if n < len(self.skews) else 0
        name = f"worker-{n}"
        self.stage.start("dial", name, skew=ahead, concurrency=self.concurrency)

    def _kill_a_worker(self, ids: list[str]) -> None:
        """Kill the next worker, if it has come to work and something came of the last one's.

        A busy machine starts it late, and in a second it may not have come to a single job.
        """
        victim = self.killed % self.workers
        events = sum(len(job.timeline) for job in self.stage.jobs(ids))
        if self.stage.ready(f"worker-{victim}") and events >= self.seen + self.concurrency:
            self.stage.kill(f"worker-{victim}")
            self._start(victim)
            self.killed, self.seen = self.killed + 1, events

    def _kill_redis(self) -> None:
        self.stage.redis.kill()
        time.sleep(self.away)
        self.stage.redis.start()


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Keep a process stopped, as a machine that sleeps does."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
