"""Any order of operations: the store does what the model says, and its invariants hold."""

from __future__ import annotations

import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from dispatcher.model.call import CallReport
from dispatcher.model.states import State
from dispatcher.policy import after_deadline, after_error, after_report, after_window
from dispatcher.provider import AnswerLost
from dispatcher.store.spending import SpendingLimit
from support.store_jobs import at, placed
from support.store_people import People
from support.store_wishes import (
    FEW,
    LIMITS,
    PICK,
    POLICY,
    REPORTS,
    TAKEN_FOR,
    WINDOW,
    WORDS,
)


class StoreMachine(People):
    """Jobs, workers that live and die, holds, people and time, in any order."""

    @rule(limit=st.sampled_from(LIMITS))
    def set_limit(self, limit: SpendingLimit) -> None:
        self.store.spending.set(limit)

    @rule(seconds=st.sampled_from([0.001, 1, 15, 60, 300, 86_400]))
    def wait(self, seconds: float) -> None:
        self.clock.forward(seconds)
        self.model.now = self.now

    @precondition(lambda self: self.model.moments())
    @rule(pick=PICK, word=WORDS)
    def wait_until_something_is_due_and_do_it(self, pick: int, word: str | CallReport) -> None:
        moments = self.model.moments()
        self.wait((moments[pick % len(moments)] - self.now) / 1000)
        self.pump()
        self.rescue(3)
        self.end_windows(3, dies=False)
        self.reconcile(3, word)

    @rule()
    def pump(self) -> None:
        self.store.queue.pump()
        self.model.pump()

    @precondition(lambda self: self.model.come(State.DIALING))
    @rule(most=FEW)
    def rescue(self, most: int) -> None:
        assert self.store.calls.rescue(WINDOW, most) == self.model.rescue(WINDOW * 1000, most)

    @precondition(lambda self: self.model.come(State.IN_PROGRESS))
    @rule(most=FEW, word=WORDS)
    def reconcile(self, most: int, word: str | CallReport) -> None:
        """`death` is of the process, after it took the work."""
        for id_ in self._take_due(State.IN_PROGRESS, most):
            job = self.store.jobs.get(id_)
            number = job.attempts[-1].number
            if word == "RINGING":
                self._reschedule_check(id_, number)
            elif word == "deadline":
                self._write(id_, number, after_deadline(job, POLICY))
            elif isinstance(word, CallReport):
                decision = after_report(word, job, POLICY)
                assert decision is not None
                self._write(id_, number, decision)

    @precondition(lambda self: self.claims)
    @rule(pick=PICK)
    def reschedule_check(self, pick: int) -> None:
        id_, claim = self._any_claim(pick)
        self._reschedule_check(id_, claim.attempt)

    def _reschedule_check(self, id_: str, attempt: int) -> None:
        assert self.store.calls.reschedule_check(
            id_, attempt, 45, "RINGING"
        ) is self.model.reschedule_check(id_, attempt, 45_000)

    @precondition(lambda self: self.claims)
    @rule(pick=PICK, again=st.booleans())
    def look_for_a_cost_in_vain(self, pick: int, again: bool) -> None:
        owing = [(job.id, job.n) for job in self.model.jobs.values() if job.owes_at is not None]
        claims = [*owing, *((id_, claim.attempt) for id_, claim in reversed(self.claims))]
        id_, attempt = claims[pick % len(claims)]
        answer = self.store.calls.schedule_cost_check(id_, attempt, 600 if again else None)
        later = 600_000 if again else None
        assert answer is self.model.schedule_cost_check(id_, attempt, later)

    @precondition(lambda self: self.model.come(State.UNCERTAIN))
    @rule(most=FEW, dies=st.booleans())
    def end_windows(self, most: int, dies: bool) -> None:
        for id_ in self._take_due(State.UNCERTAIN, most):
            job = self.store.jobs.get(id_)
            if not dies:
                self._write(id_, job.attempts[-1].number, after_window(job, POLICY))

    def _take_due(self, state: State, most: int) -> list[str]:
        taken = self.store.calls.take_due(state, most=most, lease=TAKEN_FOR)
        assert taken == self.model.take_due(state, most, TAKEN_FOR * 1000)
        return taken

    @precondition(lambda self: self.model.in_line("ready") and not self.model.holds)
    @rule(found=st.sampled_from(["placed", *REPORTS]), redialled=st.booleans())
    def hear_of_a_lost_call_when_its_window_is_over(
        self, found: str | CallReport, redialled: bool
    ) -> None:
        """Before the redial it is the call; after it, it is the second one."""
        self.take(1, twice=False)
        if not self.claims:
            return
        lost = AnswerLost("the answer was lost")
        now = at(self.now)
        self._settle(
            0, lambda claim: after_error(lost, claim.job, POLICY, self.rng, now), twice=False
        )
        id_, claim = self._any_claim(0)
        self.wait(WINDOW)
        self.end_windows(3, dies=False)
        if redialled:
            self._claim(id_)
        self.calls += 1
        late = placed(f"call-{self.calls}")
        if isinstance(found, CallReport):
            late = after_report(found, claim.job, POLICY) or late
        self._write(id_, claim.attempt, late)


def test_no_order_of_operations_breaks_an_invariant(own_database: redis.Redis) -> None:
    machine = type("Machine", (StoreMachine,), {"redis": own_database})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=150,
            stateful_step_count=40,
            suppress_health_check=list(HealthCheck),
        ),
    )
