"""The budget: nobody dials what cannot be paid for, and the ledger is right to the last unit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.call import CallReport
from dispatcher.model.credit import Credit
from dispatcher.model.states import State
from dispatcher.policy import Decision, after_report, after_window
from dispatcher.provider import AnswerLost, NotEnoughCredits, Unavailable
from dispatcher.store import Store
from dispatcher.store.budget import CheckRight
from dispatcher.store.events import AccountEvent
from dispatcher.store.values import Claim
from support.claims import claim_one, take
from support.clock import Clock
from support.reports import ended
from support.store_jobs import POLICY, claim, enqueue, placed, refused, request

PREPAID = AccountConfig(one_at_a_time=False, connections=1000, floor=50, expected_cost=20)
EVERY = 300.0


@pytest.fixture
def prepaid(store: Store) -> Store:
    store.limiter.publish(PREPAID)
    return store


def see(store: Store, balance: str | Decimal) -> list[AccountEvent]:
    """Look at the balance, as a watcher does."""
    look = store.budget.take_check(lease=60, now=True)
    assert look is not None
    return store.budget.note_balance(Decimal(balance), look, EVERY)


def dial(store: Store, id_: str) -> State:
    """Claim a job, and have its call placed."""
    made = claim_one(store, id_, token=id_, lease=30)
    if not isinstance(made, Claim):
        assert isinstance(made, State)
        return made
    state = store.calls.settle(id_, made.attempt, placed(f"call-{id_}-{made.attempt}"))
    assert state is not None
    return state


def end(store: Store, id_: str, cost: str | None, status: str = "ANSWERED") -> None:
    """Report the call of a job's latest attempt as over."""
    job = store.jobs.get(id_)
    assert job.attempt is not None
    report = ended(status, None if cost is None else Decimal(cost), 3)
    store.calls.settle(id_, job.attempt.number, _ending(report, store, id_), actor="reconcile")


def _ending(report: CallReport, store: Store, id_: str) -> Decision:
    decision = after_report(report, store.jobs.get(id_), POLICY)
    assert decision is not None
    return decision


def jobs(store: Store, many: int, **fields: Any) -> list[str]:
    return [enqueue(store, **fields) for _ in range(many)]


def learn(store: Store, *prices: str, **fields: Any) -> None:
    for price in prices:
        id_ = enqueue(store, **fields)
        assert dial(store, id_) is State.IN_PROGRESS
        end(store, id_, price)


# -- the ledger ----------------------------------------------------------------------------


def test_a_claim_reserves_and_the_cost_takes_its_place(prepaid: Store) -> None:
    see(prepaid, "1000")
    (id_,) = jobs(prepaid, 1)
    dial(prepaid, id_)
    assert prepaid.budget.credit().in_flight == 20
    end(prepaid, id_, "12.5003")
    state = prepaid.budget.credit()
    assert (state.in_flight, state.spent_since, state.spent) == (0, *[Decimal("12.5003")] * 2)
    assert state.available == Decimal("987.4997")
    assert prepaid.jobs.get(id_).cost == Decimal("12.5003")


def test_where_nobody_was_called_the_reservation_is_given_back(prepaid: Store) -> None:
    (id_,) = jobs(prepaid, 1)
    made = claim(prepaid, id_)
    prepaid.calls.settle(id_, 1, refused(Unavailable("503"), made.job))
    state = prepaid.budget.credit()
    assert (state.in_flight, state.spent_since) == (0, 0)


def test_a_call_of_unknown_cost_counts_as_reserved_until_the_next_look(prepaid: Store) -> None:
    see(prepaid, "1000")
    (id_,) = jobs(prepaid, 1)
    dial(prepaid, id_)
    end(prepaid, id_, None)
    state = prepaid.budget.credit()
    assert (state.in_flight, state.spent_since, state.spent) == (0, 20, 0)
    see(prepaid, "990")
    assert prepaid.budget.credit().available == 990


def test_a_cost_that_comes_after_the_status_is_counted_once(prepaid: Store) -> None:
    see(prepaid, "1000")
    (id_,) = jobs(prepaid, 1)
    dial(prepaid, id_)
    report = _ending(ended("ANSWERED", Decimal(12), 3), prepaid, id_)
    end(prepaid, id_, None)
    for _ in range(2):
        assert prepaid.calls.settle(id_, 1, report) is State.COMPLETED
    state = prepaid.budget.credit()
    assert (state.spent, state.spent_since, state.in_flight) == (12, 12, 0)
    job = prepaid.jobs.get(id_)
    assert job.cost == 12
    assert [event.why for event in job.timeline[-2:]] == [
        "ANSWERED",
        "attempt 1, too late to change anything: it cost 12",
    ]


def test_a_cost_that_grew_is_corrected_and_one_that_shrank_is_not(prepaid: Store) -> None:
    (id_,) = jobs(prepaid, 1)
    dial(prepaid, id_)
    decide = {
        cost: _ending(ended("ANSWERED", Decimal(cost), 3), prepaid, id_)
        for cost in ("0", "10", "15")
    }
    for cost in ("10", "15", "0", "10"):
        prepaid.calls.settle(id_, 1, decide[cost])
    assert (prepaid.budget.credit().spent, prepaid.jobs.get(id_).cost) == (15, 15)


def test_each_attempt_of_a_job_costs(prepaid: Store, clock: Clock) -> None:
    (id_,) = jobs(prepaid, 1, redial=1)
    dial(prepaid, id_)
    end(prepaid, id_, "3", "NO ANSWER")
    clock.forward(POLICY.redial_after)
    prepaid.queue.pump()
    dial(prepaid, id_)
    end(prepaid, id_, "10")
    assert prepaid.jobs.get(id_).cost == prepaid.budget.credit().spent == 13


def test_evidence_after_all_was_given_up_corrects_the_ledger(prepaid: Store, clock: Clock) -> None:
    (id_,) = jobs(prepaid, 1)
    made = claim(prepaid, id_)
    prepaid.calls.settle(id_, 1, refused(AnswerLost("cut"), made.job))
    assert prepaid.budget.credit().in_flight == 20
    late = _ending(ended("ANSWERED", Decimal(10), 3), prepaid, id_)
    clock.forward(POLICY.evidence_window)
    prepaid.calls.settle(id_, 1, after_window(prepaid.jobs.get(id_), POLICY))
    assert (prepaid.budget.credit().in_flight, prepaid.budget.credit().spent_since) == (0, 20)
    prepaid.calls.settle(id_, 1, late)
    assert (prepaid.budget.credit().spent, prepaid.budget.credit().spent_since) == (10, 10)


def test_what_is_spent_while_a_look_is_under_way_is_not_forgotten(prepaid: Store) -> None:
    (id_,) = jobs(prepaid, 1)
    dial(prepaid, id_)
    look = prepaid.budget.take_check(lease=60)
    assert look is not None
    end(prepaid, id_, "10")
    prepaid.budget.note_balance(Decimal(1000), look, EVERY)
    assert prepaid.budget.credit().available == 990


# -- the budget ----------------------------------------------------------------------------


def test_only_what_the_credit_pays_for_is_dialled(prepaid: Store) -> None:
    see(prepaid, "110")
    states = [dial(prepaid, id_) for id_ in jobs(prepaid, 10)]
    assert states == [State.IN_PROGRESS] * 4 + [State.HELD] * 6
    (hold,) = prepaid.holds.all()
    assert hold.why == "credit 110, 80 of it reserved for calls under way, needs 50"
    held = prepaid.jobs.get(prepaid.jobs.enqueue(request()).id)
    assert held.attempts == ()


def test_a_job_held_for_credit_has_spent_nothing_and_says_why(prepaid: Store) -> None:
    see(prepaid, "42")
    (id_,) = jobs(prepaid, 1)
    assert dial(prepaid, id_) is State.HELD
    job = prepaid.jobs.get(id_)
    assert (job.hold_reason, job.spent, job.attempts) == ("credit", 0, ())
    assert job.timeline[-1].why == "credit 42, needs 50"


def test_without_a_balance_ever_seen_the_budget_binds_nobody(prepaid: Store) -> None:
    assert {dial(prepaid, id_) for id_ in jobs(prepaid, 20)} == {State.IN_PROGRESS}


def test_a_post_paid_account_has_neither_floor_nor_budget(store: Store) -> None:
    store.limiter.publish(AccountConfig(one_at_a_time=False, floor=None))
    see(store, "-500")
    assert {dial(store, id_) for id_ in jobs(store, 20)} == {State.IN_PROGRESS}
    assert store.holds.all() == []


@pytest.mark.parametrize(("balance", "states"), [("-3.25", "held"), ("50.0001", "in_progress")])
def test_negative_and_fractional_balances(prepaid: Store, balance: str, states: str) -> None:
    see(prepaid, balance)
    assert dial(prepaid, enqueue(prepaid)) == states
    assert prepaid.budget.credit().balance == Decimal(balance)


def test_a_balance_beyond_all_measure_does_no_harm(prepaid: Store) -> None:
    see(prepaid, "999999999999999")
    assert dial(prepaid, enqueue(prepaid)) is State.IN_PROGRESS


def test_the_gate_opens_when_calls_under_way_cost_less_than_was_reserved(prepaid: Store) -> None:
    see(prepaid, "110")
    ids = jobs(prepaid, 5)
    assert [dial(prepaid, id_) for id_ in ids][-1] is State.HELD
    prepaid.queue.pump()
    assert [hold.name for hold in prepaid.holds.all()] == ["credit"]
    for id_ in ids[:4]:
        end(prepaid, id_, "0")
    assert prepaid.queue.pump().released == 1
    assert prepaid.holds.all() == []
    assert dial(prepaid, ids[4]) is State.IN_PROGRESS


def test_a_top_up_lets_out_only_as_many_as_it_pays_for_the_most_urgent_first(
    prepaid: Store,
) -> None:
    learn(prepaid, *["10"] * 20)
    see(prepaid, "10")
    normal = sorted(jobs(prepaid, 30))  # all of one moment: they stand in line by their ids
    urgent = sorted(jobs(prepaid, 3, priority="urgent"))
    assert dial(prepaid, normal[0]) is State.HELD
    take(prepaid)
    assert {prepaid.jobs.get(id_).state for id_ in normal + urgent} == {State.HELD}
    see(prepaid, "110.5")
    released = sum(prepaid.queue.pump().released for _ in range(5))
    assert released == 7
    queued = [id_ for id_ in urgent + normal if prepaid.jobs.get(id_).state is State.QUEUED]
    assert queued == urgent + normal[:4]
    assert [dial(prepaid, id_) for id_ in queued] == [State.IN_PROGRESS] * 7
    assert prepaid.queue.pump().released == 0
    assert [hold.name for hold in prepaid.holds.all()] == ["credit"]  # whoever is left sees why


@settings(max_examples=60)
@given(
    balance=st.integers(0, 400),
    costs_=st.lists(st.sampled_from(["0", "0.0001", "7.5", "10", "33.3333", None]), max_size=30),
    together=st.integers(1, 8),
)
def test_no_claim_is_granted_that_the_ledger_cannot_pay(
    redis_client: Any, balance: int, costs_: list[str | None], together: int
) -> None:
    redis_client.flushdb()
    store = Store(redis_client, clock=Clock())
    store.limiter.publish(PREPAID)
    see(store, str(balance))
    under_way: list[tuple[str, str | None]] = []
    spent = Decimal(0)
    for cost in costs_:
        before = store.budget.credit()
        id_ = enqueue(store)
        state = dial(store, id_)
        assert before.available is not None
        if state is State.IN_PROGRESS:
            assert before.available >= 50
            under_way.append((id_, cost))
        if len(under_way) >= together or state is State.HELD:
            for done, price in under_way:
                end(store, done, price)
                spent += Decimal(price or 0)
            under_way = []
            store.queue.pump()
    after = store.budget.credit()
    assert after.spent == spent
    assert (after.in_flight == 0) == (not under_way)


# -- what calls cost -----------------------------------------------------------------------


def test_costs_are_learned_by_tariff_with_those_in_vain_in_the_forecast(prepaid: Store) -> None:
    learn(prepaid, "10", "0", "10", "0")
    assert prepaid.budget.expected_credits([request(), request()]) == 10
    assert prepaid.budget.costs().of("tts:JP-mobile") == 5
    assert (
        prepaid.budget.costs().of("tts:FR") == 5
    )  # the kind's, for a country that was not called yet
    assert (
        prepaid.budget.costs().of("conference/3:JP-mobile") == 60
    )  # the start value, for each who is called


def test_a_reservation_is_cautious_where_costs_vary_and_exact_where_they_do_not(
    prepaid: Store,
) -> None:
    learn(prepaid, *["10"] * 40)
    dial(prepaid, enqueue(prepaid))
    steady = prepaid.budget.credit().in_flight
    assert 10 <= steady < Decimal("10.01")
    learn(prepaid, *["5", "30"] * 20)
    dial(prepaid, enqueue(prepaid))
    assert prepaid.budget.credit().in_flight - steady > 30


def test_a_conference_is_reserved_for_each_who_is_called(prepaid: Store) -> None:
    fields = {"recipient": None, "say": None, "participants": ["+818011234567", "+14155550123"]}
    dial(prepaid, enqueue(prepaid, **fields))
    assert prepaid.budget.credit().in_flight == 40


def test_what_waits_is_told_by_what_it_will_need(prepaid: Store) -> None:
    learn(prepaid, "12")
    ids = jobs(prepaid, 8)
    jobs(prepaid, 2, at=60)
    prepaid.jobs.cancel(ids[0], actor="cli")
    state = prepaid.budget.credit()
    assert (state.waiting, state.waiting_needs) == ({"tts:JP-mobile": 9}, 108)


def test_the_pace_is_that_of_the_last_hour(prepaid: Store, clock: Clock) -> None:
    see(prepaid, "1000")
    for _ in range(6):
        learn(prepaid, "10")
        clock.forward(600)
    state = prepaid.budget.credit()
    assert 50 <= state.burn_per_hour <= 75
    see(prepaid, "350")
    assert prepaid.budget.credit().hours_left == pytest.approx(300 / float(state.burn_per_hour))
    clock.forward(3600)
    assert prepaid.budget.credit().burn_per_hour == 0
    assert prepaid.budget.credit().hours_left is None


# -- looking -------------------------------------------------------------------------------


def looks(store: Store, clock: Clock, seconds: int) -> list[int]:
    """Return the seconds at which looks came within a time; each of them fails."""
    found = []
    for second in range(seconds):
        if store.budget.take_check(lease=60):
            found.append(second)
            store.budget.check_failed("no answer", EVERY)
        clock.forward(1)
    return found


def looked(store: Store, clock: Clock) -> list[int]:
    """See 40 credits whenever it is time, for a minute; return the seconds at which it was."""
    found = []
    for second in range(60):
        look = store.budget.take_check(lease=60)
        if look:
            found.append(second)
            store.budget.note_balance(Decimal(40), look, EVERY)
        clock.forward(1)
    return found


def test_while_all_is_well_looks_are_sparse(prepaid: Store, clock: Clock) -> None:
    assert prepaid.budget.take_check(lease=60) is not None
    assert prepaid.budget.take_check(lease=60) is None  # another has the right
    clock.forward(60)
    look = prepaid.budget.take_check(lease=60)
    assert look is not None  # who had it is lost
    prepaid.budget.note_balance(Decimal(1000), look, EVERY)
    clock.forward(EVERY - 1)
    assert prepaid.budget.take_check(lease=60) is None
    clock.forward(1)
    assert prepaid.budget.take_check(lease=60) is not None


def test_a_look_comes_soon_where_much_was_spent(prepaid: Store, clock: Clock) -> None:
    see(prepaid, "200")
    clock.forward(20)
    assert prepaid.budget.take_check(lease=60) is None
    learn(prepaid, "10", "10", "10", "10")
    assert prepaid.budget.take_check(lease=60) is not None


def test_a_look_that_fails_comes_again_on_a_backoff(prepaid: Store, clock: Clock) -> None:
    assert looks(prepaid, clock, 200) == [0, 2, 6, 14, 30, 62, 122, 182]


def test_out_of_credit_the_looks_stay_within_ten_seconds(prepaid: Store, clock: Clock) -> None:
    see(prepaid, "40")
    dial(prepaid, enqueue(prepaid))
    assert looked(prepaid, clock) == [0, 2, 6, 14, 22, 30, 38, 46, 54]


def test_the_looks_stay_as_near_where_only_some_calls_lack_credit(
    prepaid: Store, clock: Clock
) -> None:
    see(prepaid, "200")
    id_ = enqueue(prepaid)
    made = claim(prepaid, id_)
    refusal = refused(NotEnoughCredits("no", required=Decimal(20)), made.job)
    prepaid.calls.settle(id_, 1, refusal)
    assert [hold.name for hold in prepaid.holds.all()] == ["credit:tariff:tts:JP-mobile"]
    assert looked(prepaid, clock) == [0, 2, 6, 14, 22, 30, 38, 46, 54]


def test_a_balance_that_cannot_be_seen_stops_nobody(prepaid: Store, clock: Clock) -> None:
    see(prepaid, "40")
    held, other = jobs(prepaid, 2)
    assert dial(prepaid, held) is State.HELD
    looks(prepaid, clock, 10)
    assert prepaid.holds.all() == []
    assert prepaid.queue.pump().released == 1
    assert [dial(prepaid, id_) for id_ in (held, other)] == [State.IN_PROGRESS] * 2
    assert prepaid.budget.credit().blind


def test_after_a_refusal_an_unseen_balance_lets_one_call_try(prepaid: Store, clock: Clock) -> None:
    ids = jobs(prepaid, 3)
    made = claim(prepaid, ids[0])
    prepaid.calls.settle(ids[0], 1, refused(NotEnoughCredits("no", required=Decimal(20)), made.job))
    looks(prepaid, clock, 10)
    (hold,) = prepaid.holds.all()
    assert hold.half_open
    prepaid.queue.pump()
    (tries,) = take(prepaid)
    assert tries in ids
    assert prepaid.calls.settle(tries, 1, placed()) is State.IN_PROGRESS
    assert prepaid.holds.all() == []


# -- warnings ------------------------------------------------------------------------------


def test_low_balance_is_told_once_for_each_level(store: Store) -> None:
    store.limiter.publish(AccountConfig(floor=50, warn=(1000, 200)))
    told = {}
    for balance in ("1500", "990", "980", "1050", "199", "150", "400", "201", "190", "1200", "999"):
        told[balance] = [each.facts["level"] for each in see(store, balance)]
    assert {balance: levels for balance, levels in told.items() if levels} == {
        "990": [1000],
        "199": [200],
        "190": [200],
        "999": [1000],
    }
    low = [each for each in store.events.after() if each.kind == "credit.low"]
    assert [each.facts["balance"] for each in low] == [990, 199, 190, 999]


def test_the_state_of_an_account_that_was_never_seen(store: Store) -> None:
    nothing = Decimal(0)
    assert store.budget.credit() == Credit(
        None, None, 0, None, nothing, nothing, nothing, None, nothing, {}, nothing
    )
    assert store.budget.credit().blind


def test_a_look_of_no_ledger_is_a_look_at_nothing(prepaid: Store) -> None:
    prepaid.budget.note_balance(Decimal(100), CheckRight(0, 0), EVERY)
    assert prepaid.budget.credit().available == 100
