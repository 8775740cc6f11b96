"""A call that the provider refuses for lack of credit holds no other that can be paid for."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.job import Job
from dispatcher.model.states import State
from dispatcher.provider import NotEnoughCredits
from dispatcher.store import Store
from dispatcher.store.values import Claim
from support.claims import claim_one, take
from support.clock import Clock
from support.store_jobs import claim, enqueue, placed, refused

FLOOR = 50
DEAR = {"recipient": None, "say": None, "participants": ["+818011234567", "+818011234568"]}
ALL, DEAR_ONES = ["credit"], ["credit:tariff:conference/2:JP-mobile"]


@pytest.fixture
def prepaid(store: Store) -> Store:
    store.limiter.publish(
        AccountConfig(one_at_a_time=False, connections=1000, floor=FLOOR, expected_cost=20)
    )
    return store


def see(store: Store, balance: str) -> None:
    """Look at the balance, and let the pump follow."""
    right = store.budget.take_check(lease=60, now=True)
    assert right is not None
    store.budget.note_balance(Decimal(balance), right, 300)
    store.queue.pump()


def refuse(store: Store, required: str | None = "600", id_: str = "") -> str:
    """Have the provider refuse a dear call; return its job."""
    id_ = id_ or enqueue(store, **DEAR)
    made = dialing(store, id_)
    no = NotEnoughCredits("403", required=None if required is None else Decimal(required))
    assert store.calls.settle(id_, len(made.attempts), refused(no, made)) is State.HELD
    return id_


def dialing(store: Store, id_: str) -> Job:
    """Claim a job, where no take did; return it."""
    if store.jobs.get(id_).state is not State.DIALING:
        claim(store, id_)
    return store.jobs.get(id_)


def standing(store: Store) -> list[str]:
    return [hold.name for hold in store.holds.all()]


def may_call(store: Store, **fields: object) -> bool:
    """Whether a new job is dialled; its call is placed, if so."""
    id_ = enqueue(store, **fields)
    made = claim_one(store, id_, token=id_, lease=30)
    if not isinstance(made, Claim):
        return False
    return store.calls.settle(id_, made.attempt, placed(f"call-{id_}")) is State.IN_PROGRESS


@pytest.mark.parametrize("required", ["600", None])
def test_where_credit_is_left_only_its_tariff_is_held(prepaid: Store, required: str | None) -> None:
    see(prepaid, "500")
    job = prepaid.jobs.get(refuse(prepaid, required))
    assert standing(prepaid) == DEAR_ONES
    assert (job.hold_reason, job.spent, job.timeline[-1].why) == ("credit", 0, "403")
    assert may_call(prepaid)
    assert not may_call(prepaid, **DEAR)


def test_what_the_refused_call_itself_had_reserved_is_left_for_others(prepaid: Store) -> None:
    see(prepaid, str(FLOOR + 1))
    refuse(prepaid)
    assert standing(prepaid) == DEAR_ONES
    assert may_call(prepaid)


@pytest.mark.parametrize("balance", [None, str(FLOOR)])
def test_where_nothing_is_known_or_left_all_are_held(prepaid: Store, balance: str | None) -> None:
    if balance:
        see(prepaid, balance)
    refuse(prepaid)
    assert standing(prepaid) == ALL
    assert not may_call(prepaid)


def test_where_the_balance_could_not_be_read_lately_all_are_held(prepaid: Store) -> None:
    see(prepaid, "500")
    for _ in range(3):
        prepaid.budget.check_failed("503", 300)
    refuse(prepaid)
    assert standing(prepaid) == ALL


def test_an_account_without_a_floor_has_no_budget_so_all_are_held(store: Store) -> None:
    store.limiter.publish(AccountConfig(one_at_a_time=False, floor=None))
    see(store, "500")
    refuse(store)
    assert standing(store) == ALL


def test_once_the_balance_is_seen_only_its_tariff_stays_held(prepaid: Store, clock: Clock) -> None:
    dear = refuse(prepaid)
    waiting = enqueue(prepaid)
    take(prepaid)
    assert prepaid.jobs.get(waiting).state is State.HELD
    clock.forward(0.001)
    see(prepaid, "500")
    (hold,) = prepaid.holds.all()
    assert ([hold.name], hold.required) == (DEAR_ONES, 600)
    assert hold.why == "credit 500, needs 600"
    assert take(prepaid) == [waiting]
    assert prepaid.jobs.get(dear).state is State.HELD
    assert may_call(prepaid)


def test_no_more_left_than_the_floor_keeps_all_held(prepaid: Store, clock: Clock) -> None:
    refuse(prepaid)
    clock.forward(0.001)
    see(prepaid, str(FLOOR))
    assert standing(prepaid) == ALL


def test_a_top_up_lets_one_of_the_tariff_try_and_its_call_lets_all_go(
    prepaid: Store, clock: Clock
) -> None:
    see(prepaid, "500")
    first = refuse(prepaid)
    second = enqueue(prepaid, **DEAR)
    take(prepaid)
    assert prepaid.jobs.get(second).state is State.HELD
    clock.forward(0.001)
    see(prepaid, "700")
    assert [hold.half_open for hold in prepaid.holds.all()] == [True]
    assert may_call(prepaid), "cheaper ones go on meanwhile"
    (trying,) = take(prepaid)
    prepaid.queue.pump()
    assert {prepaid.jobs.get(id_).state for id_ in {first, second} - {trying}} == {State.HELD}
    attempt = len(prepaid.jobs.get(trying).attempts)
    prepaid.calls.settle(trying, attempt, placed("call-dear"))
    assert standing(prepaid) == []
    prepaid.queue.pump()
    assert prepaid.jobs.get(second).state is not State.HELD


def test_one_that_is_refused_again_keeps_its_tariff_held_and_no_other(
    prepaid: Store, clock: Clock
) -> None:
    """The page of the balance says more than the provider lets anybody spend."""
    see(prepaid, "500")
    dear = refuse(prepaid, None)
    for _ in range(3):
        clock.forward(0.001)
        see(prepaid, "500")
        assert [hold.half_open for hold in prepaid.holds.all()] == [True]
        assert take(prepaid) == [dear]
        assert may_call(prepaid)
        refuse(prepaid, None, dear)
        assert standing(prepaid) == DEAR_ONES


def test_others_held_before_are_let_go_while_one_of_the_tariff_tries(
    prepaid: Store, clock: Clock
) -> None:
    see(prepaid, "500")
    prepaid.holds.start("paused", "by kim")
    waiting = enqueue(prepaid)
    take(prepaid)
    prepaid.holds.end("paused")
    dear = enqueue(prepaid, **DEAR)
    refuse(prepaid, None, dear)
    clock.forward(0.001)
    see(prepaid, "500")
    assert prepaid.jobs.get(waiting).state is not State.HELD


def test_a_refusal_of_a_job_that_is_gone_holds_all(prepaid: Store) -> None:
    see(prepaid, "500")
    made = claim(prepaid, enqueue(prepaid, **DEAR))
    decision = refused(NotEnoughCredits("403", required=Decimal(600)), made.job)
    assert prepaid.calls.settle("j_gone", 1, decision) is None
    assert standing(prepaid) == ALL
