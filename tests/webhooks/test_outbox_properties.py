"""Whatever is repeated, lost or comes late: each end of a job is one event for each target."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict

import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from dispatcher.model.states import TERMINAL, State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.values import Refused
from dispatcher.store.webhooks import Webhook
from support.claims import claim_one
from support.clock import Clock
from support.webhook_jobs import enqueue, targets

LEASE = 60.0
PICK = st.integers(0, 5)
OWN = "https://receiver.example/told"
ENDS = [
    Decision(State.COMPLETED, "answered", ""),
    Decision(State.FAILED, "call_failed", "no", "call_failed"),
    Decision(State.SCHEDULED, "no_answer", "redial", delay=5),
    Decision(State.UNCERTAIN, "maybe_placed", "lost", delay=30),
]
_NUMBERS = itertools.count(1)


class Telling(RuleBasedStateMachine):
    """Jobs end, are dialled again and are forgotten, while their webhooks go every way they can."""

    client: redis.Redis

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.store = Store(self.client, namespace=f"tell{next(_NUMBERS)}", clock=self.clock)
        self.webhooks = self.store.webhooks
        targets(self.store, 2)
        self.jobs: dict[str, bool] = {}  # and whether it names a target of its own
        self.ends: Counter[tuple[str, str]] = Counter()  # (job, target)
        self.told: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self.bodies: dict[str, object] = {}
        self.messages: list[str] = []
        self.claimed: list[Webhook] = []

    def job(self, pick: int) -> str | None:
        jobs = list(self.jobs)
        return jobs[pick % len(jobs)] if jobs else None

    # -- jobs ------------------------------------------------------------------------------

    @rule(own=st.booleans(), expires=st.sampled_from([None, 50]))
    def enqueue(self, own: bool, expires: int | None) -> None:
        self.clock.forward(0.001)
        id_ = enqueue(self.store, webhook=OWN if own else None, expires=expires)
        self.jobs[id_] = own

    @rule(pick=PICK, token=st.sampled_from("ab"))
    def claim(self, pick: int, token: str) -> None:
        if id_ := self.job(pick):
            claim_one(self.store, id_, token=token, lease=30)

    @rule(pick=PICK, decision=st.sampled_from(ENDS), twice=st.booleans())
    def settle(self, pick: int, decision: Decision, twice: bool) -> None:
        if (id_ := self.job(pick)) and (attempt := self.store.jobs.get(id_).attempt):
            for _ in range(1 + twice):
                self.store.calls.settle(id_, attempt.number, decision)

    @rule(pick=PICK, retry=st.booleans())
    def act(self, pick: int, retry: bool) -> None:
        if id_ := self.job(pick):
            act = self.store.jobs.retry if retry else self.store.jobs.cancel
            try:
                act(id_, actor="cli")
                act(id_, actor="cli")  # whoever doubts asks twice
            except Refused:
                pass

    @rule()
    def upkeep(self) -> None:
        self.store.queue.pump()
        self.store.calls.rescue(30)
        self.webhooks.take_events()

    @rule(seconds=st.sampled_from([1, 20, 61, 4000]))
    def time(self, seconds: int) -> None:
        self.clock.forward(seconds)

    # -- webhooks --------------------------------------------------------------------------

    @rule(lost=st.booleans())
    def take(self, lost: bool) -> None:
        taken = self.webhooks.take(LEASE)
        self.messages += [] if lost else taken

    @rule(pick=PICK, twice=st.booleans())
    def begin(self, pick: int, twice: bool) -> None:
        """A message comes, perhaps twice; the request goes out, whatever becomes of its process."""
        if not self.messages:
            return
        id_ = self.messages.pop(pick % len(self.messages))
        for _ in range(1 + twice):
            webhook = self.webhooks.claim(id_, LEASE)
            if webhook:
                self.receive(webhook)
                self.claimed.append(webhook)

    def receive(self, webhook: Webhook) -> None:
        content = {name: text for name, text in webhook.record.items() if name[0] != "@"}
        assert self.bodies.setdefault(webhook.id, content) == content  # the same at every try

    @rule(pick=PICK, what=st.sampled_from(["done", "again", "dead", "killed"]), twice=st.booleans())
    def finish(self, pick: int, what: str, twice: bool) -> None:
        if not self.claimed:
            return
        webhook = self.claimed.pop(pick % len(self.claimed))
        error = "" if what == "done" else "it answered 500"
        for _ in range(0 if what == "killed" else 1 + twice):
            if self.webhooks.settle(webhook.id, what, delay=5, error=error) and what == "done":
                self.note(webhook)

    @rule()
    def retry_dead(self) -> None:
        for webhook in self.webhooks.dead():
            self.webhooks.retry(webhook.id)

    # -- what holds ------------------------------------------------------------------------

    def note(self, webhook: Webhook) -> None:
        assert webhook.job is not None
        assert webhook.job.state in TERMINAL
        assert webhook.type == f"job.{webhook.job.state}"
        self.told[webhook.job.id, webhook.target].add(webhook.event)

    @invariant()
    def every_end_is_one_event(self) -> None:
        for webhook in [*self.webhooks.waiting(), *self.webhooks.dead()]:
            self.note(webhook)
        for id_, own in self.jobs.items():
            job = self.store.jobs.get(id_)
            # What comes too late is noted in the timeline of an ended job: no end of its own.
            ends = sum(
                event.to in TERMINAL and event.before not in TERMINAL for event in job.timeline
            )
            for target in ("1", "2", "job"):
                expected = ends if own or target != "job" else 0
                assert len(self.told[id_, target]) == expected, (id_, target)

    def teardown(self) -> None:
        """Where all goes well from now on, all that is not given up is delivered."""
        self.clock.forward(4000)
        for _ in range(200):
            self.webhooks.take(LEASE)
            for webhook in list(self.webhooks.waiting()):
                if self.webhooks.claim(webhook.id, LEASE):
                    self.webhooks.settle(webhook.id, "done")
            self.clock.forward(LEASE)
            if not self.webhooks.counts()["waiting"]:
                break
        assert not self.webhooks.counts()["waiting"]
        self.client.flushdb()


def test_every_end_of_a_job_is_exactly_one_event(redis_client: redis.Redis) -> None:
    machine = type("Telling", (Telling,), {"client": redis_client})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            suppress_health_check=list(HealthCheck),
        ),
    )
