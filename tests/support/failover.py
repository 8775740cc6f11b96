"""A stack whose Redis has a replica and sentinels, and loses its master while it works."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dispatcher.store.errors import StoreUnavailable
from support.chaos_stage import Stage, Verdict
from support.polling import eventually
from support.redis_servers import SERVICE, Sentinels
from support.standby import Standby, standby

DOWN_AFTER = 1.0
LEASE = 20.0
"""Seconds: longer than a failover takes, as it is in earnest."""


@dataclass
class Failover:
    """What can be done to the master while two workers dial."""

    stage: Stage
    pair: Standby
    sentinels: Sentinels
    accepted: list[str] = field(default_factory=list)

    def calls(self) -> int:
        """Return how many calls the provider has placed."""
        return len(self.stage.books())

    def wait_for_calls(self, many: int) -> None:
        eventually(lambda: self.calls() >= many, f"{many} calls", more=self.stage.told)

    def kill_master(self, lag: float) -> None:
        """Kill the master, whose replica has got nothing for so many seconds."""
        if lag:
            self.pair.cable.cut()
            time.sleep(lag)
        self.pair.master.kill()

    def freeze_master(self) -> None:
        """Have the master hang until another one has taken its place; then let it go on."""
        self.pair.master.freeze()
        self.sentinels.wait_for_failover(self.pair.master)
        self.pair.master.thaw()

    def plan(self) -> None:
        """Ask the sentinels to change the master for its replica."""
        with self.sentinels.processes[0].client() as client:
            client.execute_command("SENTINEL", "FAILOVER", SERVICE)

    @contextmanager
    def producing(self, start: int, every: float = 0.05) -> Iterator[None]:
        """Enqueue jobs, one after another, within the block; `accepted` has what was answered."""
        over = threading.Event()
        thread = threading.Thread(target=self._produce, args=(start, every, over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _produce(self, start: int, every: float, over: threading.Event) -> None:
        number = start
        while not over.wait(every):
            try:
                self.accepted += self.stage.enqueue(1, start=number, key=f"job-{number}")
            except StoreUnavailable:
                continue  # the same again
            number += 1

    def verdict(self, ids: list[str], within: float) -> Verdict:
        """Return what became of the jobs, when all have ended or the time is over."""
        deadline = time.monotonic() + within
        while self.stage.open(ids) and time.monotonic() < deadline:
            time.sleep(0.2)
        return self.stage.verdict(ids)


@contextmanager
def failover(folder: Path, **settings: Any) -> Iterator[Failover]:
    """Give a stack of two workers behind sentinels."""
    with (
        standby(folder / "redis") as pair,
        # The replica's master is the cable, which sentinels set right after this time.
        Sentinels(folder, pair.master, down_after=DOWN_AFTER, failover_timeout=120) as sentinels,
    ):
        sentinels.wait_until_ready()
        with Stage(folder / "stage", redis_url=sentinels.url, lease=LEASE, **settings) as stage:
            for number in range(2):
                stage.start("dial", f"worker-{number}", concurrency=4)
            yield Failover(stage, pair, sentinels)
