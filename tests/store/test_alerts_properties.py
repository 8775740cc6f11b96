"""Reports in any order and repeated, storms, chains that go on, people, calls that end, and time:
one incident stays one alert, and nobody is called for one that does not ring.
"""

from __future__ import annotations

from datetime import timedelta

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

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.alert import Acknowledgement, Alert, AlertReason, AlertState, Severity
from dispatcher.model.alert_change import AlertChange, PlannedCall
from dispatcher.model.do_not_call import Wish
from dispatcher.model.job import Job
from dispatcher.model.on_call import Storm
from dispatcher.model.states import WAITING, State
from dispatcher.policy import Policy, after_report
from dispatcher.store import Store
from dispatcher.store.alert_values import AlertRow
from dispatcher.store.values import Claim, Refused
from support.alert_books import assert_alerts_sound
from support.claims import claim_one
from support.clock import Clock
from support.reports import ended
from support.store_alerts import START, call_request, chain, firing, soon
from support.store_jobs import assert_sound, placed, snapshot

NUMBERS = [f"+81801234000{n}" for n in range(5)]
LISTED = NUMBERS[0]
RULES = {
    "quiet": chain(storm=Storm(more_than=2, within=timedelta(minutes=5))),
    "loud": chain(repeat_after=timedelta(minutes=10), tell_resolved=True),
}
PICK = st.integers(0, 50)
EVENTS = st.builds(
    lambda name, start, how, severity: firing(
        name,
        severity=severity,
        started_at=None if start is None else START + timedelta(minutes=start),
        **how,
    ),
    st.sampled_from("abcdefgh"),
    st.sampled_from([None, 0, 0, 0, 1, 5]),
    st.sampled_from([{}, {}, {}, {"firing": False}, {"firing": False}, {"repeats": False}]),
    st.sampled_from(Severity),
)
ROWS = st.builds(
    lambda event, name: AlertRow(event, name or None, RULES.get(name), called=name != "nobody"),
    EVENTS,
    st.sampled_from(["quiet", "quiet", "loud", "loud", "", "nobody"]),
)


class AlertMachine(RuleBasedStateMachine):
    """Each step is followed by a look at all that stands in Redis."""

    redis: redis.Redis

    @initialize(webhooks=st.integers(0, 1))
    def begin(self, webhooks: int) -> None:
        self.redis.flushdb()
        self.clock = Clock()
        self.store = Store(self.redis, clock=self.clock)
        self.other = Store(self.redis, clock=self.clock)
        self.store.limiter.publish(AccountConfig(breaker=1000, webhooks=webhooks))
        self.store.do_not_call.add([Wish(LISTED)], actor="cli")
        self.known: list[AlertRow] = []
        self.stale: list[Alert] = []

    # -- monitoring ------------------------------------------------------------------------

    @rule(rows=st.lists(ROWS, min_size=1, max_size=6))
    def report(self, rows: list[AlertRow]) -> None:
        told = self.store.alerts.record(rows, actor="am")
        self.known += rows
        for row, it in zip(rows, told, strict=True):
            assert (it.what == "unknown") == (it.id == "")
            assert it.what not in {"new", "again", "folded"} or row.event.firing

    @rule(pick=PICK)
    def report_again(self, pick: int) -> None:
        """Monitoring did not hear the answer, or two of them report: nothing rings by that."""
        if self.known:
            rows = self.known[pick % len(self.known) :][:3]
            before = self.other.alerts.record(rows, actor="am")
            ringing = self.other.alerts.counts()[AlertState.RINGING]
            again = self.store.alerts.record(rows, actor="am")
            dated = [row.event.started_at is not None and row.event.repeats for row in rows]
            if all(dated):
                assert not {"new", "again", "folded"} & {it.what for it in again}
                assert [it.id for it in again] == [it.id for it in before]
                assert self.other.alerts.counts()[AlertState.RINGING] == ringing

    # -- chains ----------------------------------------------------------------------------

    @rule(pick=PICK, numbers=st.lists(st.sampled_from(NUMBERS), max_size=2), cancel=st.booleans())
    def advance(self, pick: int, numbers: list[str], cancel: bool) -> None:
        alert = self._one(pick, AlertState.RINGING)
        if alert is None:
            return
        calls = tuple(
            PlannedCall(alert.last_call + n, f"p{n}", call_request(number))
            for n, number in enumerate(numbers, 1)
        )
        older = tuple(each.job_id for each in alert.calls if each.job_id) if cancel else ()
        change = AlertChange(
            1, 0, alert.turn + 1, calls=calls, cancel=older, next_at=soon(self.store, 90)
        )
        assert self.store.alerts.advance(alert.id, alert.version, change)
        assert not self.other.alerts.advance(alert.id, alert.version, change)
        found = self.store.alerts.get(alert.id)
        assert found.last_call == alert.last_call + len(calls)
        assert all((each.job_id is None) == bool(each.skipped) for each in found.calls)

    @rule(pick=PICK)
    def see(self, pick: int) -> None:
        self.stale += filter(None, [self._one(pick, *AlertState)])

    @rule(pick=PICK)
    def decide_on_what_was_seen(self, pick: int) -> None:
        """What changed since then is not written to."""
        if not self.stale:
            return
        seen = self.stale.pop(pick % len(self.stale))
        calls = (PlannedCall(seen.last_call + 1, "late", call_request(NUMBERS[1])),)
        (now,) = self.store.alerts.get_many([seen.id]) or (None,)
        if now is None or now.version != seen.version:
            assert not self.store.alerts.advance(
                seen.id, seen.version, AlertChange(9, 9, calls=calls)
            )

    @rule(pick=PICK, reason=st.sampled_from(AlertReason))
    def come_to_the_end(self, pick: int, reason: AlertReason) -> None:
        if alert := self._one(pick, AlertState.RINGING):
            change = AlertChange(3, 0, state=AlertState.UNREACHED, reason=reason)
            assert self.store.alerts.advance(alert.id, alert.version, change)

    @rule(pick=PICK)
    def tell_that_it_is_over(self, pick: int) -> None:
        telling = [each for each in self._all() if each.telling]
        if telling:
            alert = telling[pick % len(telling)]
            calls = (PlannedCall(alert.last_call + 1, "ann", call_request(NUMBERS[2])),)
            change = AlertChange(alert.round, alert.step, alert.turn, calls=calls)
            assert self.store.alerts.advance(alert.id, alert.version, change)
            assert not self.store.alerts.get(alert.id).telling

    @rule()
    def take(self) -> None:
        taken = self.store.alerts.take_due()
        assert not set(taken) & set(self.other.alerts.take_due())

    # -- people ----------------------------------------------------------------------------

    @rule(pick=PICK, how=st.sampled_from(Acknowledgement))
    def acknowledge(self, pick: int, how: Acknowledgement) -> None:
        if alert := self._one(pick, *AlertState):
            acted = self.store.alerts.acknowledge(alert.id, by="ann", how=how)
            over = alert.state in {AlertState.ACKNOWLEDGED, AlertState.RESOLVED}
            assert (acted.done, acted.before) == (not over, alert.state)
            assert over or acted.alert.state is AlertState.ACKNOWLEDGED

    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        if alert := self._one(pick, *AlertState):
            self.store.alerts.cancel(alert.id, by="ann")

    # -- calls -----------------------------------------------------------------------------

    @rule(pick=PICK, word=st.sampled_from(["ANSWERED", "NOT ANSWERED", "FAILED"]))
    def dial(self, pick: int, word: str) -> None:
        if (job := self._job(pick, {State.QUEUED})) is None:
            return
        made = claim_one(self.store, job.id, token=f"t{pick}", lease=30)
        if isinstance(made, Claim):
            self.store.calls.settle(job.id, made.attempt, placed(f"call-{job.id}"))
            assert job.alert is None or self._rung(job.alert)
        if isinstance(made, Claim) and pick % 2:
            self._end(self.store.jobs.get(job.id), word)

    @rule(pick=PICK, word=st.sampled_from(["ANSWERED", "NOT ANSWERED"]))
    def call_ends(self, pick: int, word: str) -> None:
        if job := self._job(pick, {State.IN_PROGRESS}):
            self._end(job, word)

    @rule(pick=PICK)
    def somebody_cancels_a_job(self, pick: int) -> None:
        if job := self._job(pick, WAITING):
            self.store.jobs.cancel(job.id, actor="cli")

    @rule(pick=PICK)
    def somebody_retries_a_job(self, pick: int) -> None:
        if job := self._job(pick, set(State)):
            try:
                self.store.jobs.retry(job.id, actor="cli")
            except Refused:
                return
            raise AssertionError("a call of an alert was made anew")

    # -- time ------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 20, 200, 700, 4000, -500]))
    def wait(self, seconds: float) -> None:
        self.clock.forward(seconds)
        self.store.clock.follow()
        self.store.queue.pump()

    @rule(age=st.sampled_from([100, 3000]))
    def purge(self, age: float) -> None:
        self.store.retention.forget_older(self.store.now() - age * 1000)

    @invariant()
    def all_agrees(self) -> None:
        if not hasattr(self, "store"):
            return
        found = snapshot(self.store)
        for name in found.get("alerts:due", {}):  # a clock that went back is followed when taken
            found["alerts:due"][name] = str(min(float(found["alerts:due"][name]), self.clock.ms))
        assert_alerts_sound(found, self.clock.ms)
        assert_sound(found)
        counts = self.store.alerts.counts()
        assert sum(counts.values()) == len(self._all())

    # -- below -----------------------------------------------------------------------------

    def _all(self) -> list[Alert]:
        return self.store.alerts.page(limit=1000).alerts

    def _one(self, pick: int, *states: AlertState) -> Alert | None:
        found = sorted((each for each in self._all() if each.state in states), key=lambda a: a.id)
        return found[pick % len(found)] if found else None

    def _job(self, pick: int, states: set[State] | frozenset[State]) -> Job | None:
        ids = [each.job_id for alert in self._all() for each in alert.calls if each.job_id]
        jobs = [job for job in self.store.jobs.get_many(sorted(ids)) if job and job.state in states]
        return jobs[pick % len(jobs)] if jobs else None

    def _rung(self, id_: str) -> bool:
        return self.store.alerts.get(id_).rung_at is not None

    def _end(self, job: Job, word: str) -> None:
        decision = after_report(ended(word), job, Policy(redial=0))
        self.store.calls.settle(job.id, job.attempts[-1].number, decision)


def test_one_incident_is_one_alert_whatever_happens(own_database: redis.Redis) -> None:
    AlertMachine.redis = own_database
    run_state_machine_as_test(
        AlertMachine,
        settings=settings(
            max_examples=80,
            stateful_step_count=40,
            suppress_health_check=list(HealthCheck),
        ),
    )
