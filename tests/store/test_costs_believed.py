"""What outsiders say of costs: one report never decides whether others are called."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.outcome import Outcome
from dispatcher.model.states import State
from dispatcher.policy import after_report
from dispatcher.store import Store
from dispatcher.store.callbacks import Callback
from dispatcher.store.values import Claim
from support.claims import claim_one
from support.clock import Clock
from support.reports import ended
from support.store_jobs import POLICY, enqueue, placed
from workers.engine.apply_callbacks import ApplyReports

PREPAID = AccountConfig(one_at_a_time=False, connections=1000, floor=50, expected_cost=20)
ABSURD = "99999"
TARIFF = "tts:JP-mobile"
_NUMBERS = itertools.count()


@pytest.fixture
def prepaid(store: Store) -> Store:
    store.limiter.publish(PREPAID)
    see(store, "900")
    return store


def see(store: Store, balance: str) -> None:
    """Look at the balance, as a worker does."""
    right = store.budget.take_check(lease=60, now=True)
    assert right is not None
    store.budget.note_balance(Decimal(balance), right, 300)


def called(store: Store) -> str:
    """Have a call placed; return its job."""
    id_ = enqueue(store)
    made = claim_one(store, id_, token=id_, lease=30)
    assert isinstance(made, Claim)
    store.calls.settle(id_, made.attempt, placed(f"call-{id_}"))
    return id_


def reported(store: Store, cost: str, id_: str = "", outcome: Outcome = Outcome.ANSWERED) -> str:
    """Have a callback say what a call cost; return its job."""
    id_ = id_ or called(store)
    said = Callback(id_, 1, f"call-{id_}", outcome.upper(), outcome, Decimal(cost))
    store.callbacks.receive([said], {})
    ApplyReports(store, store.callbacks, POLICY)()
    return id_


def checked(store: Store, cost: str, id_: str = "") -> str:
    """Have a status check tell what a call cost; return its job."""
    id_ = id_ or called(store)
    decision = after_report(ended("ANSWERED", Decimal(cost), 3), store.jobs.get(id_), POLICY)
    assert decision is not None
    store.calls.settle(id_, 1, decision, actor="reconcile")
    return id_


def others_are_called(store: Store) -> bool:
    """Whether the next job may be dialled."""
    store.queue.pump()
    id_ = enqueue(store)
    return isinstance(claim_one(store, id_, token=id_, lease=30), Claim)


def doubted(store: Store) -> int:
    return store.statistics.counters().get("costs_doubted", 0)


def test_an_absurd_cost_on_a_calls_own_callback_stops_nobody(prepaid: Store, clock: Clock) -> None:
    """It ends its call; what that cost is asked for by a status check."""
    checked(prepaid, "7")
    id_ = reported(prepaid, ABSURD)
    job = prepaid.jobs.get(id_)
    assert (job.state, job.cost) == (State.COMPLETED, None)
    assert others_are_called(prepaid)
    clock.forward(1)
    assert prepaid.calls.take_due("cost") == [id_]
    checked(prepaid, "7", id_)
    assert prepaid.jobs.get(id_).cost == 7
    assert prepaid.budget.credit().spent == 14


def test_a_callback_that_comes_late_is_believed_no_more(prepaid: Store, clock: Clock) -> None:
    id_ = checked(prepaid, "7")
    reported(prepaid, ABSURD, id_)
    assert prepaid.jobs.get(id_).cost == 7
    assert prepaid.budget.credit().spent == 7
    assert others_are_called(prepaid)
    clock.forward(1)
    assert prepaid.calls.take_due("cost") == [id_]  # a true one is found


def test_a_callback_is_believed_what_calls_of_its_kind_were_checked_to_cost(prepaid: Store) -> None:
    first = reported(prepaid, "27")  # nothing is known yet
    assert (prepaid.jobs.get(first).cost, doubted(prepaid)) == (None, 1)
    checked(prepaid, "27", first)
    assert prepaid.jobs.get(reported(prepaid, "27")).cost == 27
    dearer = reported(prepaid, "28")
    cheaper = reported(prepaid, "26")
    assert (prepaid.jobs.get(dearer).cost, prepaid.jobs.get(cheaper).cost) == (None, None)
    checked(prepaid, "28", dearer)
    assert prepaid.jobs.get(reported(prepaid, "27.5")).cost == Decimal("27.5")
    assert doubted(prepaid) == 3


def test_what_is_expected_anyway_is_believed_before_anything_was_checked(prepaid: Store) -> None:
    """Else each of the first calls of a kind would be checked, all at once."""
    assert prepaid.jobs.get(reported(prepaid, "20")).cost == 20
    assert prepaid.jobs.get(reported(prepaid, "0")).cost is None
    assert prepaid.jobs.get(reported(prepaid, "20.5")).cost is None


def test_that_nothing_was_taken_for_an_answered_call_is_checked_as_well(prepaid: Store) -> None:
    checked(prepaid, "7")
    assert prepaid.jobs.get(reported(prepaid, "0")).cost is None
    vain = reported(prepaid, "0", outcome=Outcome.CALL_FAILED)
    assert prepaid.jobs.get(vain).cost == 0


def test_no_prepaid_call_cost_more_than_the_account_has(prepaid: Store) -> None:
    id_ = checked(prepaid, ABSURD)
    assert prepaid.jobs.get(id_).cost is None
    assert others_are_called(prepaid)
    (event,) = [each for each in prepaid.events.after() if each.kind == "cost.not_believed"]
    assert event.facts["job"] == id_
    assert event.facts["cost"] == ABSURD


def test_a_single_dear_call_is_booked_and_hardly_learned_from(prepaid: Store) -> None:
    for _ in range(10):
        checked(prepaid, "7")
    dear = checked(prepaid, "700")
    assert prepaid.jobs.get(dear).cost == 700
    assert prepaid.budget.costs().if_answered(TARIFF) < 10
    assert others_are_called(prepaid)


def test_a_new_price_is_learned_within_a_few_calls(prepaid: Store) -> None:
    for _ in range(10):
        checked(prepaid, "7")
    see(prepaid, "100000")
    for _ in range(40):
        checked(prepaid, "70")
    assert prepaid.budget.costs().if_answered(TARIFF) > 35


@settings(max_examples=25)
@given(
    said=st.lists(
        st.tuples(st.sampled_from(["callback", "check"]), st.floats(0, 10**9)), max_size=12
    )
)
def test_whatever_callbacks_say_only_what_checks_told_counts(
    redis_client: redis.Redis, said: list[tuple[str, float]]
) -> None:
    """A call is taken to cost no more than twice what the dearest that was checked did."""
    clock = Clock()
    store = Store(redis_client, namespace=f"said{next(_NUMBERS)}", clock=clock)
    store.limiter.publish(PREPAID)
    true = Decimal(20)
    for who, what in said:
        clock.forward(1)
        if who == "callback":
            reported(store, f"{what:.4f}")
        else:
            cost = Decimal(f"{what % 30:.4f}")
            checked(store, str(cost))
            true = max(true, cost)
    called(store)
    assert store.budget.costs().if_answered(TARIFF) <= true
    right = store.budget.credit().in_flight
    assert right <= 3 * true


# -- what was learned, shown and forgotten -------------------------------------------------


def test_what_was_learned_is_shown_and_forgotten(prepaid: Store) -> None:
    for cost in ("7", "9", "0"):
        checked(prepaid, cost)
    (known,) = prepaid.budget.learned()
    assert known.to_dict() == {
        "tariff": TARIFF, "ended": 3, "paid": 2, "usual": 8.0, "lowest": 0.0, "highest": 9.0,
    }  # fmt: skip
    assert prepaid.budget.forget_costs("US", actor="ann") == []
    assert prepaid.budget.forget_costs("JP", actor="ann", note="new prices") == [TARIFF]
    assert prepaid.budget.learned() == []
    (entry,), _ = prepaid.audit.latest(10)
    assert (entry.action, entry.note) == ("costs.forget", "new prices")


@pytest.mark.parametrize("what", ["all", "JP-mobile", TARIFF])
def test_a_type_or_a_tariff_or_all_is_forgotten(prepaid: Store, what: str) -> None:
    checked(prepaid, "7")
    assert prepaid.budget.forget_costs(what, actor="ann") == [TARIFF]


# -- what cannot be paid, and only that, is held --------------------------------------------

DEAR = {
    "recipient": None,
    "say": None,
    "participants": ["+818011234567", "+818011234568", "+818011234569"],
}


def test_a_call_that_cannot_be_paid_holds_no_cheaper_one(prepaid: Store) -> None:
    """A conference that needs 60 with 55 left, and another client's single call."""
    see(prepaid, "55")
    dear = enqueue(prepaid, **DEAR)
    assert claim_one(prepaid, dear, token="d", lease=30) is State.HELD
    (hold,) = prepaid.holds.all()
    assert (hold.name, hold.required) == ("credit:tariff:conference/3:JP-mobile", 60)
    assert "needs 60" in hold.why
    assert others_are_called(prepaid)
    see(prepaid, "100")
    prepaid.queue.pump()
    assert prepaid.holds.all() == []
    assert prepaid.jobs.get(dear).state is State.QUEUED
    assert isinstance(claim_one(prepaid, dear, token="d", lease=30), Claim)


def test_below_the_floor_nobody_is_called(prepaid: Store) -> None:
    see(prepaid, "49")
    assert not others_are_called(prepaid)
    assert [hold.name for hold in prepaid.holds.all()] == ["credit"]


def test_a_dear_call_that_meets_the_floor_first_holds_nobody_above_it(prepaid: Store) -> None:
    see(prepaid, "49")
    dear = enqueue(prepaid, **DEAR)
    assert claim_one(prepaid, dear, token="d", lease=30) is State.HELD
    assert [(hold.name, hold.required) for hold in prepaid.holds.all()] == [("credit", 50)]
    see(prepaid, "55")
    prepaid.queue.pump()
    assert claim_one(prepaid, dear, token="e", lease=30) is State.HELD
    assert [hold.name for hold in prepaid.holds.all()] == ["credit:tariff:conference/3:JP-mobile"]
    assert others_are_called(prepaid)


def test_where_the_balance_cannot_be_seen_it_holds_nobody(prepaid: Store) -> None:
    see(prepaid, "55")
    dear = enqueue(prepaid, **DEAR)
    assert claim_one(prepaid, dear, token="d", lease=30) is State.HELD
    for _ in range(3):
        prepaid.budget.check_failed("503", 300)
    assert prepaid.holds.all() == []
