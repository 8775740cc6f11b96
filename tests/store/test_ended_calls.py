"""Calls that end in a way of which the provider has its own word, over its real stand-in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.job import Job
from dispatcher.model.states import Reason, State
from dispatcher.policy import Policy
from dispatcher.store import Store
from dispatcher.store.slots import Slots
from dispatcher.values.steady_clock import since_boot
from support.claims import taken
from support.clock import Clock
from support.provider_benches import CALLER, Bench, sandbox
from support.store_jobs import enqueue
from workers.engine.check_call import CheckCall
from workers.engine.dial import Dial
from workers.engine.lease import Lease
from workers.engine.turn import Turn

BUSY, RINGING, ANSWERED = "+818012340013", "+818012340014", "+818012340001"
POLICY = Policy(redial_after=60)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with sandbox("form") as made:
        yield made


class Engine:
    """Dials and checks with a real provider, one step at a time."""

    def __init__(self, store: Store, clock: Clock, bench: Bench) -> None:
        self.store, self.clock, self.bench = store, clock, bench
        self._dial = Dial(store, bench.provider, POLICY, CALLER)
        self.check = CheckCall(store, bench.provider, POLICY, Slots(store.limiter))

    def call(self, number: str, **options: object) -> Job:
        """Enqueue an urgent call, dial it and return its job."""
        id_ = enqueue(self.store, recipient=number, priority="urgent", **options)
        self.dial(id_)
        return self.store.jobs.get(id_)

    def dial(self, id_: str) -> None:
        """Dial a job, if it may be dialled now; no other waits."""
        for claim in taken(self.store, 1, lease=60, provider="xoxzo").claims:
            assert claim.job.id == id_
            decision = self._dial(claim, Lease(60, 30, since_boot()))
            self.store.calls.settle(id_, claim.attempt, decision)

    def ended(self, job: Job) -> Turn:
        """Check a job's call once the provider says that it is over."""
        assert job.attempt is not None
        self.bench.end(job.attempt.call)
        return self.check(job.id)


@pytest.fixture
def engine(store: Store, clock: Clock, bench: Bench) -> Engine:
    store.limiter.publish(AccountConfig(rate=None, one_at_a_time=True))
    return Engine(store, clock, bench)


def test_a_busy_number_is_free_for_the_next_urgent_call(engine: Engine) -> None:
    first = engine.call(BUSY)
    assert first.state is State.IN_PROGRESS
    assert engine.call(BUSY).state is State.SCHEDULED  # the number is on the first call
    turn = engine.ended(first)
    assert (turn.state, turn.reason) == (State.FAILED, Reason.NO_ANSWER)
    job = engine.store.jobs.get(first.id)
    assert job.attempt is not None
    assert (job.outcome, job.attempt.result, job.attempt.error) == ("BUSY", "no_answer", "BUSY")
    assert (job.attempt.provider, job.attempt.numbers) == ("xoxzo", (BUSY,))
    assert engine.call(BUSY).state is State.IN_PROGRESS
    assert engine.bench.placed() == 2


def test_a_busy_number_is_called_again_as_one_that_does_not_answer(engine: Engine) -> None:
    first = engine.call(BUSY, redial=1)
    assert engine.ended(first).state is State.SCHEDULED
    engine.clock.forward(POLICY.redial_after)
    engine.store.queue.pump()
    engine.dial(first.id)
    again = engine.store.jobs.get(first.id)
    assert (again.state, len(again.attempts)) == (State.IN_PROGRESS, 2)
    assert engine.ended(again).reason == Reason.NO_ANSWER


def test_a_word_of_its_own_is_not_the_end_of_a_call_that_goes_on(engine: Engine) -> None:
    job = engine.call(RINGING)
    turn = engine.check(job.id)
    assert (turn.state, turn.why) == (State.IN_PROGRESS, "RINGING")
    assert engine.store.jobs.get(job.id).outcome == "RINGING"
    assert engine.ended(job).state is State.COMPLETED


def test_a_busy_participant_ends_its_conference(engine: Engine) -> None:
    id_ = enqueue(engine.store, recipient=None, say=None, participants=[ANSWERED, BUSY])
    engine.dial(id_)
    turn = engine.ended(engine.store.jobs.get(id_))
    assert (turn.state, turn.reason) == (State.FAILED, Reason.NO_ANSWER)
    (attempt,) = engine.store.jobs.get(id_).attempts
    assert [leg.status for leg in attempt.legs] == ["ANSWERED", "BUSY"]
