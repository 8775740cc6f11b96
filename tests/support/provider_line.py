"""Requests to a provider that counts strictly, over a way that varies: a model of who asks, driving
the real limiter by a clock of its own, from a seed.
"""

from __future__ import annotations

import copy
import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dispatcher.sandbox.limits import Limit, Throttle
from dispatcher.store import Store
from support.clock import Clock
from support.own_operations import with_operation

AHEAD = 25.0  # ms


@dataclass(frozen=True)
class Noise:
    """What a request meets, in ms: how late it goes out, the ways there and back, and stalls of the
    provider's machine: one in about `every` ms, of `stall` on average, in which nothing is counted.
    """

    late: float = 0.3
    out: float = 0.5
    back: float = 0.5
    every: float = 1e9
    stall: float = 0.0


QUIET = Noise()
BUSY = Noise(late=2.0, out=1.0, back=3.0, every=700.0, stall=8.0)
"""Other processes want the processors as well."""
STALLS = Noise(late=1.0, out=0.5, back=1.0, every=300.0, stall=15.0)
"""Those of the provider's machine alone."""


@dataclass
class Books:
    """What the provider saw: arrivals that it let through and refused, in ms."""

    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    def used(self, limit: Limit, begin: float, end: float) -> float:
        """Return the part of the limit that was used between two moments."""
        count = sum(begin <= at < end for at in self.accepted)
        return count / (limit.most / limit.window * (end - begin) / 1000)


class Line:
    """`askers` that always want a request more, in `processes`, and the provider they ask.

    The provider takes `service` ms to answer what it lets through.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        limits: Sequence[Limit],
        *,
        noise: Noise = QUIET,
        seed: int = 1,
        askers: int = 8,
        service: float = 50.0,
        spread: float = 1.0,
    ) -> None:
        self.steps, self.store, self.clock = Steps(store), store, clock
        self.throttles = [(Throttle(), limit) for limit in limits]
        self.noise, self.rng = noise, random.Random(seed)
        self.service, self.spread, self.books = service, spread, Books()
        self.numbers = itertools.count()
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.stalled_until, self.next_stall = 0.0, clock.ms + self._wait(noise.every)
        for asker in range(askers):
            self._at(clock.ms + asker, self._ask)

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        end = self.clock.ms + seconds * 1000
        while self.events and self.events[0][0] < end:
            at, _, event = heapq.heappop(self.events)
            self.clock.ms = max(at, self.clock.ms)
            event()
        self.clock.ms = end

    def ask_urgently(self) -> float | None:
        """Have one urgent request more made now; return in how many ms it goes out, None: later."""
        holder = f"urgent-{next(self.numbers)}"
        booked, after = self.steps.ask(holder, 0.0, urgent=True)
        if booked:
            self._send(holder, booked, after, again=False)
        return after if booked else None

    def _at(self, at: float, event: Callable[[], None]) -> None:
        heapq.heappush(self.events, (at, next(self.numbers), event))

    def _wait(self, mean: float) -> float:
        return self.rng.expovariate(1 / mean) if mean else 0.0

    def _ask(self) -> None:
        holder = f"request-{next(self.numbers)}"
        booked, after = self.steps.ask(holder, AHEAD)
        if booked:
            self._send(holder, booked, after)
        else:
            self._at(self.clock.ms + max(after, 1.0) + self._wait(self.noise.late), self._ask)

    def _send(self, holder: str, booked: str, after: float, *, again: bool = True) -> None:
        late = self._wait(self.noise.late)
        sent = self.clock.ms + after + late
        came = sent + 0.2 + self._wait(self.noise.out)

        def arrive() -> None:
            if held := self._stalled():
                self._at(held, arrive)
                return
            wait = self._judge()
            answered = self.clock.ms + 0.2 + self._wait(self.noise.back)
            answered += 0 if wait else self.service * self.rng.uniform(1, self.spread)
            self._at(answered, lambda: answer(wait))

        def answer(wait: int | None) -> None:
            self.store.limiter.give_back(holder)
            if wait is None:
                self.steps.answered(booked, late, self.clock.ms - sent)
            else:
                self.store.limiter.throttle(wait, told=True, booked=booked)
            if again:
                self._ask()

        self._at(came, arrive)

    def _stalled(self) -> float:
        """Return until when the provider's machine stands still, 0: it does not."""
        now = self.clock.ms
        while now >= self.next_stall:
            self.stalled_until = self.next_stall + self._wait(self.noise.stall)
            self.next_stall += self._wait(self.noise.every)
        return self.stalled_until if now < self.stalled_until else 0.0

    def _judge(self) -> int | None:
        """Return None where all windows have room, else the seconds that are told."""
        now = self.clock.ms / 1000
        for throttle, limit in self.throttles:
            if (wait := copy.deepcopy(throttle).wait(now, limit)) is not None:
                self.books.refused.append(self.clock.ms)
                return wait
        for throttle, limit in self.throttles:
            throttle.wait(now, limit)
        self.books.accepted.append(self.clock.ms)
        return None


class Steps:
    """The limiter alone, without jobs."""

    def __init__(self, store: Store) -> None:
        self._connection = with_operation(store, "limiter_step")

    def ask(self, holder: str, ahead: float, *, urgent: bool = False) -> tuple[str, float]:
        """Return what a request is booked by and in how many ms it goes out; '' and in how many to
        ask again.
        """
        booked, after, reading = self._run(holder=holder, ahead=ahead, urgent=urgent)
        self._connection.reckoning.tell(reading)
        return booked.decode(), float(after)

    def answered(self, booked: str, late: float, took: float) -> None:
        """Say how a request went, in ms."""
        self._run(booked=booked, late=late, took=took)

    def _run(self, **arguments: Any) -> Any:
        reckoning = self._connection.reckoning
        return self._connection.run("limiter_step", **arguments, **reckoning.arguments())
