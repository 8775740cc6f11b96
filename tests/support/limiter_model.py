"""What the limiter promises, as pure functions and a small model; and the crowd that asks it."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from dispatcher.store import Store
from dispatcher.values.rate import Rate
from support.clock import Clock
from support.provider_line import Steps

LEFT, LEAST, SAME = 0.7, 0.1, 1000
LATE = 4.0
"""ms from which a worker books a request anew."""
AHEAD = 25.0
"""ms before its moment at which a request is granted."""

Kind = Literal["urgent", "normal"]


@dataclass(frozen=True)
class Grant:
    """One request that went out, in ms of real time."""

    at: float
    kind: Kind


def least_gap(grants: Sequence[Grant], rate: Rate) -> float:
    """Return the shortest time, in windows, that a limit's worth of requests and one more took.

    Below 1 it was broken.
    """
    moments = sorted(grant.at for grant in grants)
    pairs = zip(moments, moments[rate.count :], strict=False)
    return min(((b - a) / (rate.window * 1000) for a, b in pairs), default=math.inf)


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
    """One that asks for a request, makes it and asks again, in one of the crowd's processes.

    Each goes out late by the next of `habits` (ms, over and over); None is a crash: it never does.
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
        others: Sequence[Store] = (),
    ) -> None:
        self.clock = clock
        self.stores = [(each, Steps(each)) for each in (store, *others)]
        self.numbers = itertools.count()
        self.grants: list[Grant] = []
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        for worker in workers:
            self._at(clock.ms, partial(self._ask, worker))

    def run(self, seconds: float) -> list[Grant]:
        """Let so much time pass; return what went out in it."""
        end, known = self.clock.ms + seconds * 1000, len(self.grants)
        while self.events and self.events[0][0] < end:
            at, _, event = heapq.heappop(self.events)
            self.clock.ms = max(at, self.clock.ms)
            event()
        self.clock.ms = end
        return self.grants[known:]

    def step(self, seconds: float) -> None:
        """Have Redis' clock step; whoever sleeps does not notice."""
        self.clock.step(seconds)
        self.events = [(event[0] + round(seconds * 1000), *event[1:]) for event in self.events]

    def _at(self, at: float, event: Callable[[], None]) -> None:
        heapq.heappush(self.events, (at, next(self.numbers), event))

    def _ask(self, worker: Worker) -> None:
        _, steps = self.stores[worker.process % len(self.stores)]
        holder = f"request-{next(self.numbers)}"
        booked, after = steps.ask(holder, AHEAD, urgent=worker.kind == "urgent")
        if not booked:
            self._at(self.clock.ms + max(after, 0.001), partial(self._ask, worker))
            return
        late = worker.habit()
        if late is None:
            self._at(self.clock.ms + 100, partial(self._ask, worker))
        else:
            go = partial(self._go, worker, holder, booked, late)
            self._at(self.clock.ms + after + late, go)

    def _go(self, worker: Worker, holder: str, booked: str, late: float) -> None:
        store, steps = self.stores[worker.process % len(self.stores)]
        if late >= LATE:
            booked, after = store.limiter.rebook(booked)
            if after:
                again = partial(self._go, worker, holder, booked, 0.0)
                self._at(self.clock.ms + after * 1000, again)
                return
        self.grants.append(Grant(self.clock.ms - self.clock.off, worker.kind))
        store.limiter.give_back(holder)
        steps.answered(booked, late if late < LATE else 0.0, 0.0)
        self._ask(worker)
