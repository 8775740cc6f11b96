"""Reports, calls, people and time in any order, with chains moved on by processes that may die."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from dispatcher.alerts.alerting import Alerting
from dispatcher.model.alert import Acknowledgement, Alert, AlertState
from dispatcher.model.job import Job
from dispatcher.model.states import CALLING, TERMINAL, WAITING, State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.alert_values import AlertRow
from dispatcher.store.holds import PauseScope
from dispatcher.store.redis_url import connect
from dispatcher.store.values import Claim, Refused
from support.alert_chains import publish
from support.claims import claim_one
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.store_alerts import START, firing
from support.store_jobs import placed
from workers.devstack.embedded_server import EmbeddedServer

STEPS = ({"call": ["ann"], "times": 2}, {"call_in_turn": ["bob", "eve"]})
RULES: dict[str, Any] = {"repeat": 2, "repeat_after": "1h", "storm": {"more_than": 3}}
MOST_RINGS = 2 * (2 + 2)
"""Calls of one run of the chain."""
ENDS = [
    Decision(State.FAILED, "no_answer", "it rang in vain", "no_answer"),
    Decision(State.FAILED, "call_failed", "no such line", "call_failed"),
    Decision(State.COMPLETED, "answered", "it was answered"),
]
PICK = st.integers(0, 20)
FINGERPRINTS = st.sampled_from(["f1", "f2", "f3", "f4", "f5"])


class ChainsMachine(RuleBasedStateMachine):
    """Alerts whose chains call, and all that may come between."""

    redis: redis.Redis

    @initialize(until=st.sampled_from(["acknowledged", "answered"]))
    def begin(self, until: str) -> None:
        self.redis.flushdb()
        self.clock = Clock()
        self.store = Store(self.redis, clock=self.clock)
        self.alerting = Alerting(self.store, lambda: None)
        self.on_call = publish(self.store, *STEPS, until=until, **RULES)
        self.over: dict[str, int] = {}

    # -- monitoring ------------------------------------------------------------------------

    @rule(names=st.lists(FINGERPRINTS, min_size=1, max_size=4), hours=st.integers(0, 1))
    def report(self, names: list[str], hours: int) -> None:
        events = [firing(name, started_at=START + timedelta(hours=hours)) for name in names]
        self.alerting.receive(events, actor="am")

    @rule(name=FINGERPRINTS, hours=st.integers(0, 1))
    def report_and_die(self, name: str, hours: int) -> None:
        event = firing(name, started_at=START + timedelta(hours=hours))
        row = AlertRow(event, "database", self.on_call.chains["database"])
        self.store.alerts.record([row], actor="am")

    @rule(name=FINGERPRINTS, hours=st.integers(0, 1))
    def resolve(self, name: str, hours: int) -> None:
        over = firing(name, firing=False, started_at=START + timedelta(hours=hours))
        self.alerting.receive([over], actor="am")

    # -- processes, time -------------------------------------------------------------------

    @rule()
    def look(self) -> None:
        self.alerting.advance_due()

    @rule()
    def take_and_die(self) -> None:
        self.store.alerts.take_due()

    @rule(seconds=st.sampled_from([1, 30, 130, 310, 3700]))
    def wait(self, seconds: int) -> None:
        self.clock.forward(seconds)
        self.store.queue.pump(100)

    @rule(pick=PICK, end=st.sampled_from(ENDS))
    def dial(self, pick: int, end: Decision) -> None:
        """Have a call that waits begin, or one that is under way end."""
        jobs = [job for job in self._jobs() if job.state in {State.QUEUED, State.IN_PROGRESS}]
        if jobs:
            self._dial(jobs[pick % len(jobs)], end)

    def _dial(self, job: Job, end: Decision) -> None:
        if job.state is State.IN_PROGRESS:
            self.store.calls.settle(job.id, len(job.attempts), end)
            return
        claimed = claim_one(self.store, job.id, token=f"t{self.clock.ms}", lease=30)
        if isinstance(claimed, Claim):
            self.store.calls.settle(job.id, claimed.attempt, placed(f"c{job.id}"))

    # -- people ----------------------------------------------------------------------------

    @rule(pick=PICK)
    def acknowledge(self, pick: int) -> None:
        if alerts := self._alerts():
            id_ = alerts[pick % len(alerts)].id
            self.store.alerts.acknowledge(id_, by="kim", how=Acknowledgement.CLI)

    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        if alerts := self._alerts():
            self.store.alerts.cancel(alerts[pick % len(alerts)].id, by="kim")

    @rule(pick=PICK)
    def cancel_a_call(self, pick: int) -> None:
        jobs = [job for job in self._jobs() if job.state in WAITING]
        if jobs:
            self.store.jobs.cancel(jobs[pick % len(jobs)].id, actor="kim")

    @rule(pick=PICK)
    def call_again(self, pick: int) -> None:
        jobs = [job for job in self._jobs() if job.state in TERMINAL]
        if jobs:
            with pytest.raises(Refused):  # the chain calls again
                self.store.jobs.retry(jobs[pick % len(jobs)].id, actor="kim")

    @rule(on=st.booleans())
    def pause(self, on: bool) -> None:
        if on:
            self.store.holds.pause(PauseScope(), actor="kim")
        else:
            self.store.holds.resume(PauseScope(), actor="kim")

    @rule(names=st.sets(st.sampled_from(["ann", "bob", "eve"])))
    def change_people(self, names: set[str]) -> None:
        contacts = {name: self.on_call.contacts[name] for name in names}
        left = self.on_call.model_copy(update={"contacts": contacts})
        self.store.on_call.publish(left, by="kim")

    # -- what holds ------------------------------------------------------------------------

    def _alerts(self) -> list[Alert]:
        return self.store.alerts.page(limit=100).alerts

    def _jobs(self) -> list[Job]:
        ids = [call.job_id for alert in self._alerts() for call in alert.calls if call.job_id]
        return [job for job in self.store.jobs.get_many(ids) if job is not None]

    @invariant()
    def nobody_waits_to_be_called_for_what_rings_no_more(self) -> None:
        ringing = {each.id for each in self._alerts() if each.state is AlertState.RINGING}
        for job in self._jobs():
            assert job.state not in WAITING or job.alert in ringing, job

    @invariant()
    def nobody_gets_two_calls_of_one_alert_at_once(self) -> None:
        for alert in self._alerts():
            states = self._states(alert)
            busy = Counter(
                call.contact
                for call in alert.calls
                if states.get(call.job_id or "") in WAITING | CALLING
            )
            assert not busy or max(busy.values()) == 1, alert

    def _states(self, alert: Alert) -> dict[str, State]:
        jobs = self.store.jobs.get_many([call.job_id for call in alert.calls if call.job_id])
        return {job.id: job.state for job in jobs if job}

    @invariant()
    def what_rings_is_looked_at_within_a_minute(self) -> None:
        due = key_of(self.store, "alerts_due")
        for alert in self._alerts():
            at = redis_of(self.store).zscore(due, alert.id)
            if alert.state is AlertState.RINGING:
                assert at is not None
                assert float(at) <= self.clock.ms + 60_000
            assert alert.state is AlertState.RINGING or alert.telling or at is None

    @invariant()
    def nobody_is_called_more_often_than_the_chain_says(self) -> None:
        for alert in self._alerts():
            rings = [each for each in alert.calls if each.job_id and each.at >= _began(alert)]
            assert len(rings) <= MOST_RINGS, alert
            assert max(Counter(each.contact for each in rings).values(), default=0) <= 4

    def teardown(self) -> None:
        """When calls are possible, and nobody answers, each chain comes to its end."""
        if not hasattr(self, "store"):
            return
        self.store.holds.resume(PauseScope(), actor="kim")
        for _ in range(400):
            ringing = [each for each in self._alerts() if each.state is AlertState.RINGING]
            if not ringing:
                return
            self.clock.forward(10)
            self.store.queue.pump(100)
            self.alerting.advance_due()
            for job in self._jobs():
                if job.state in {State.QUEUED, State.IN_PROGRESS}:
                    self._dial(job, ENDS[0])
        raise AssertionError(f"it rings without an end: {ringing}")


def _began(alert: Alert) -> Any:
    return alert.began_at or alert.received_at


@pytest.fixture(scope="module")
def database(server: EmbeddedServer) -> Iterator[redis.Redis]:
    """A database of its own, which each example empties."""
    with connect(server.url.removesuffix("/0") + "/1") as client:
        yield client


def test_chains_call_until_somebody_has_it_and_nobody_after_that(database: redis.Redis) -> None:
    class Machine(ChainsMachine):
        redis = database

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
