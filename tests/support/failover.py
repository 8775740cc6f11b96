"""A stack whose Redis has a replica and sentinels, and loses its master while it works."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from dispatcher.store.errors import StoreUnavailable
from support.chaos_stage import Stage
from support.polling import eventually
from support.redis_servers import SERVICE, RedisProcess, Sentinels
from support.standby import Standby, standby

DOWN_AFTER = 1.0
LEASE = 20.0
"""Seconds: longer than a failover takes, as it is in earnest."""
PRODUCE_EVERY = 0.05


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the jobs whose producers were told that they are accepted.

    `lost` are those that there is no record of, `open` those that have not ended; `twice` and
    `without` are as the provider's books say.
    """

    accepted: int
    twice: int
    without: int
    lost: int
    open: int
    ends: Counter[str]


@dataclass
class Failover:
    """What can be done to the master while two workers dial."""

    stage: Stage
    pair: Standby
    sentinels: Sentinels
    accepted: dict[str, str] = field(default_factory=dict)
    """Number by id, of each job whose producer was told that it is accepted."""
    made: int = 0

    def enqueue(self, many: int) -> None:
        """Enqueue jobs to different numbers. Raises StoreUnavailable."""
        for _ in range(many):
            n = self.made
            number = f"+8180{2000 + n // 9000:04d}{1000 + n % 9000:04d}"
            job = self.stage.dispatcher.call(number, say="Hi", key=f"job-{n}")
            self.accepted[job.id] = number
            self.made += 1

    def wait_for_calls(self, many: int) -> None:
        eventually(lambda: len(self.stage.books()) >= many, "calls", more=self.stage.told)

    def kill_master(self, lag: float) -> None:
        """Kill the master, whose replica has got nothing for so many seconds."""
        if lag:
            self.pair.cable.cut()
            time.sleep(lag)
        self.pair.master.kill()

    def freeze_master(self) -> None:
        """Have the master hang until another one has taken its place; then let it go on."""
        self.pair.master.freeze()
        self.wait_for_failover()
        self.pair.master.thaw()

    def plan(self) -> None:
        """Ask the sentinels to let the replica be the master."""
        with self.sentinels.processes[0].client() as client:
            client.execute_command("SENTINEL", "FAILOVER", SERVICE)

    def wait_for_failover(self) -> None:
        """Wait until all sentinels agree on another master: one that does not would undo it."""
        old = self.pair.master.port
        for process in self.sentinels.processes:
            eventually(
                lambda process=process: _master(process) != old,  # type: ignore[misc]
                "a failover",
                more=process.log,
            )

    def wait_for_replica(self) -> None:
        """Start the old master again if it was killed, and wait until it follows the new one."""
        old = self.pair.master
        if old.process is None:
            old.start()
        eventually(lambda: _follows(old), "the old master follows the new one", more=old.log)

    @contextmanager
    def producing(self) -> Iterator[None]:
        """Enqueue more jobs, one after another, within the block."""
        over = threading.Event()
        thread = threading.Thread(target=self._produce, args=(over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _produce(self, over: threading.Event) -> None:
        while not over.wait(PRODUCE_EVERY):
            try:
                self.enqueue(1)
            except StoreUnavailable:
                continue  # and the same again

    def tally(self, within: float) -> Tally:
        """Return what became of the accepted jobs, when all have ended or the time is over."""
        ids = list(self.accepted)
        deadline = time.monotonic() + within
        while self._open(ids) and time.monotonic() < deadline:
            time.sleep(0.2)
        jobs, called = self.stage.jobs(ids), Counter(c["recipient"] for c in self.stage.books())
        return Tally(
            accepted=len(ids),
            twice=sum(called[number] > 1 for number in self.accepted.values()),
            without=sum(not called[number] for number in self.accepted.values()),
            lost=len(ids) - len(jobs),
            open=sum(not job.terminal for job in jobs),
            ends=Counter(f"{job.state}/{job.reason or ''}".rstrip("/") for job in jobs),
        )

    def _open(self, ids: list[str]) -> bool:
        """Return whether any job that there is has not ended, or Redis is away."""
        jobs = self.stage.jobs(ids)
        return not jobs or not all(job.terminal for job in jobs)


def _master(sentinel: RedisProcess) -> int:
    """Return the port of the master, as a sentinel knows it."""
    with sentinel.client() as client:
        return int(client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)[1])


def _follows(server: RedisProcess) -> bool:
    with server.client() as client, suppress(redis.ConnectionError):  # sentinels cut clients off
        return bool(client.info("replication").get("master_link_status") == "up")
    return False


@contextmanager
def failover(folder: Path, *, binary: Path | None = None, **settings: Any) -> Iterator[Failover]:
    """Give a stack of two workers behind sentinels; `binary` is the server, if another one."""
    with (
        standby(folder / "redis", {"appendonly": "yes"}, binary=binary) as pair,
        # The replica's master is the cable, which sentinels would correct after this time.
        Sentinels(folder, pair.master, down_after=DOWN_AFTER, failover_timeout=120) as sentinels,
    ):
        sentinels.wait_until_ready()
        with Stage(folder / "stage", redis_url=sentinels.url, lease=LEASE, **settings) as stage:
            for number in range(2):
                stage.start("dial", f"worker-{number}", concurrency=4)
            yield Failover(stage, pair, sentinels)
