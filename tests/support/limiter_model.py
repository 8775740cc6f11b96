"""What the limiter promises, as pure functions and a small model; and the crowd that asks it."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from dispatcher.store import Store
from dispatcher.store.values import Claim
from support.claims import Wait, claim_one
from support.clock import Clock
from support.store_jobs import request

LEFT, LEAST, SAME = 0.7, 0.1, 1000

Kind = Literal["dial", "check"]


@dataclass(frozen=True)
class Grant:
    """One request that went out, in ms of real time."""

    at: float
    kind: Kind


def least_gap(grants: Sequence[Grant], rate: float) -> float:
    """Return the shortest time, in periods, that a limit's worth of requests and one more took.

    The limit is floor(rate) requests in floor(rate)/rate seconds: below 1 it was broken.
    """
    limit = max(1, math.floor(rate))
    moments = sorted(grant.at for grant in grants)
    pairs = zip(moments, moments[limit:], strict=False)
    return min(((b - a) / (limit / rate * 1000) for a, b in pairs), default=math.inf)


class Working:
    """The working rate as a part of the configured one."""

    def __init__(self, recovery: float) -> None:
        self.recovery, self.fraction, self.since = recovery, 1.0, -math.inf

    def at(self, now: float) -> float:
        if self.since == -math.inf:
            return 1.0
        return min(1.0, self.fraction + (now - self.since) / self.recovery)

    def throttled(self, now: float) -> None:
        if now - self.since > SAME:
            self.fraction, self.since = max(LEAST, self.at(now) * LEFT), now


class Connections:
    """Requests under way: holder -> end of its lease, in ms."""

    def __init__(self, most: int, lease: float) -> None:
        self.most, self.lease = most, lease
        self.ends: dict[str, float] = {}

    def count(self, now: float) -> int:
        return sum(math.floor(now) < end for end in self.ends.values())

    def take(self, holder: str, now: float) -> bool:
        if self.count(now) >= self.most:
            return False
        self.ends[holder] = math.floor(now) + self.lease
        return True


@dataclass
class Worker:
    """One that asks, sleeps and asks again, in one of the crowd's processes.

    After each refusal it is late by the next of `habits` (ms, over and over); None is a crash:
    its slot is forgotten, and another one takes the work up 100 ms later.
    """

    kind: Kind
    habits: Sequence[float | None] = (0.0,)
    process: int = 0
    turn: int = field(default=0)

    def habit(self) -> float | None:
        self.turn += 1
        return self.habits[self.turn % len(self.habits)]


class Crowd:
    """Workers that ask the account's limiter, in the order of time; 429s may come in between.

    Each process has a store of its own, which knows what it was told; `others` are further ones.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        workers: Sequence[Worker],
        jobs: int,
        others: Sequence[Store] = (),
    ) -> None:
        self.stores, self.clock = [store, *others], clock
        self.ids = iter([done.id for done in store.jobs.enqueue_many([request()] * jobs)])
        self.numbers = itertools.count()
        self.grants: list[Grant] = []
        self.asks: list[tuple[float, int, Worker, str, str]] = []
        for worker in workers:
            self._come(worker, clock.ms)

    def run(self, seconds: float) -> list[Grant]:
        """Let so much time pass; return what was granted in it."""
        end, known = self.clock.ms + seconds * 1000, len(self.grants)
        while self.asks and self.asks[0][0] < end:
            at, _, worker, holder, slot = heapq.heappop(self.asks)
            self.clock.ms = max(at, self.clock.ms)
            self._ask(worker, holder, slot)
        self.clock.ms = end
        return self.grants[known:]

    def step(self, seconds: float) -> None:
        """Have Redis' clock step; whoever sleeps does not notice."""
        self.clock.step(seconds)
        self.asks = [(ask[0] + round(seconds * 1000), *ask[1:]) for ask in self.asks]

    def _come(self, worker: Worker, at: float) -> None:
        """With the next job or check."""
        holder = next(self.ids, "") if worker.kind == "dial" else f"check-{next(self.numbers)}"
        if holder:
            self._come_back(worker, at, holder, "")

    def _come_back(self, worker: Worker, at: float, holder: str, slot: str) -> None:
        heapq.heappush(self.asks, (at, next(self.numbers), worker, holder, slot))

    def _ask(self, worker: Worker, holder: str, slot: str) -> None:
        now, store = self.clock.ms, self.stores[worker.process % len(self.stores)]
        if worker.kind == "dial":
            answer = claim_one(store, holder, token="t", lease=30, slot=slot)
            assert isinstance(answer, Claim | Wait)
        else:
            answer = store.limiter.take_slot(holder, slot)
        if isinstance(answer, Wait):
            late = worker.habit()
            if late is None:
                self._come_back(worker, now + 100, holder, "")
            else:
                self._come_back(worker, now + answer.seconds * 1000 + late, holder, answer.slot)
            return
        self.grants.append(Grant(now - self.clock.off, worker.kind))
        store.limiter.give_back(holder)
        self._come(worker, now)
