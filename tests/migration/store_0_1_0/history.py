"""A day in the life of a store of 0.1.0: its own engine at work, by a clock of ours."""

from __future__ import annotations

import random
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from account import Account
from dispatcher.callback_urls import CallbackUrls, Signer
from dispatcher.limiter import Limiter
from dispatcher.redis_url import connect
from dispatcher.states import Priority
from dispatcher.store.inbox import Inbox
from dispatcher.watch_credit import WatchCredit
from producers import Producers
from rules import LEASE, RULES
from workers.dial import Dial
from workers.inbox import ApplyReports
from workers.reports import CheckCall
from workers.upkeep import Pump, Reconcile, Rescue, Retrigger

from dispatcher.policy import Policy
from dispatcher.store import Refused, Store
from provider import Killed, ScriptedProvider

BEGAN = 1_700_000_000_000
"""A Tuesday, 22:13 UTC: calling hours open and close while the day passes."""
TICK = 20
TICKS = 2600  # 14 hours: what is kept for a day is there still
LIMITED = 0.97
"""From this part of the day on there are all limits. Before, moments are whole ticks and no calls
to a number are kept: that packs better, and nothing depends on how soon Redis forgets, by its own
clock.
"""


class Clock:
    def __init__(self) -> None:
        self.ms: float = BEGAN

    def __call__(self) -> float:
        return self.ms

    def forward(self, seconds: float) -> None:
        self.ms += max(1, round(seconds * 1000))


class Messages:
    """The broker: what is to be done next."""

    def __init__(self) -> None:
        self.dials: list[str] = []
        self.checks: list[str] = []
        self.acts: list[str] = []

    def dial(self, fed: Iterable[tuple[str, Priority]], together: int = 1) -> int:
        some = [id_ for id_, _ in fed]
        self.dials += some
        return len(some)

    def check(self, ids: list[str]) -> int:
        self.checks += ids
        return len(ids)

    def retrigger(self, acts: list[str]) -> int:
        self.acts += acts
        return len(acts)

    def apply_reports(self) -> None:
        """Every tick does."""


class History:
    def __init__(self, url: str, rng: random.Random, jobs: int) -> None:
        self.rng, self.clock, self.messages = rng, Clock(), Messages()
        self.store = Store(connect(url), clock=self.clock)
        self.provider = ScriptedProvider(self.clock, random.Random(rng.random()))
        self.inbox = Inbox(self.store)
        policy = Policy(reported=True, redial=0)
        limiter = Limiter(self.store, sleep=self.clock.forward)
        provider: Any = self.provider
        messenger: Any = self.messages
        urls = CallbackUrls("https://calls.example.com", Signer(["secret"]), 100_000)
        self.dial = Dial(
            self.store, provider, policy, LEASE, "810000000000", urls, random.Random(rng.random()),
            token=lambda: rng.randbytes(8).hex(), sleep=self.clock.forward,
            monotonic=lambda: self.clock() / 1000, answer=30,
            usual=self.store.usual,
        )  # fmt: skip
        self.check = CheckCall(self.store, provider, policy, limiter)
        self.apply = ApplyReports(self.store, self.inbox, policy)
        self.rescue = Rescue(self.store, policy)
        self.pump = Pump(self.store, messenger)
        self.reconcile = Reconcile(self.store, messenger, 0.1)
        self.watch = WatchCredit(self.store, provider, limiter, 300)
        self.retrigger = Retrigger(self.store, messenger, lambda: None)
        self.account = Account(self)
        self.producers = Producers(self.store, random.Random(rng.random()), jobs / 10_000, TICKS)

    def run(self) -> None:
        """Play the whole day, and stop as killed processes would."""
        self.store.publish(replace(RULES, rate=None, per_day=None, gap=0))
        self.account.begin()
        for tick in range(TICKS):
            if tick == round(LIMITED * TICKS):
                self.store.publish(RULES)
            self.clock.forward(TICK)
            self.producers.at(tick, self.account.scope)
            self.account.at(tick / TICKS)
            self.work()
            self.people()
        self.account.end()

    @property
    def nearly_over(self) -> bool:
        """Whether there is little left of the day."""
        return self.clock() > BEGAN + 0.994 * TICKS * TICK * 1000

    def work(self) -> None:
        """Do what beat, the gateway and the workers do meanwhile."""
        reports = self.provider.callbacks()
        if reports:
            self.inbox.receive(reports, {"callbacks.received": len(reports)})
            self.apply()
        self.pump()
        self.reconcile()
        self.rescue()
        self.watch()
        self.account.deliver()
        while self.messages.acts:
            self.retrigger(self.messages.acts.pop())
        while self.messages.checks:
            self.check(self.messages.checks.pop())
        while self.messages.dials:
            self.dial_one(self.messages.dials.pop(0))

    def dial_one(self, id_: str) -> None:
        with suppress(Killed):
            self.dial(id_)

    def feed(self) -> None:
        """Send messages, and let workers come to them; no time passes else."""
        for id_, _ in self.store.feed(100):
            self.dial_one(id_)

    def people(self) -> None:
        """Somebody steps in now and then, whether that is possible or not."""
        if self.rng.random() < 0.9:
            return
        id_, actor = self.producers.some(), self.rng.choice(["ann", "bob", "console:ops"])
        with suppress(Refused):
            match self.rng.randrange(4):
                case 0:
                    self.store.cancel(id_, actor=actor, why="not needed any more")
                case 1:
                    self.store.retry(id_, actor=actor, why="the line is mended", expires=7200)
                case 2:
                    self.store.mark_reached(id_, actor=actor, why=f"I called {RECIPIENT} myself")
                case _:
                    priority = self.rng.choice(list(Priority))
                    self.store.prioritise(id_, priority, actor=actor, why="the boss asked")


RECIPIENT = "+818012340001"
