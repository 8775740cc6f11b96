"""Gates that the provider closes: held after the first refusal, tried by one job at a time."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.job import Job
from dispatcher.model.states import State
from dispatcher.provider import (
    AnswerLost,
    BadCredentials,
    InvalidRequest,
    NeverReached,
    NotEnoughCredits,
    ProviderError,
    Throttled,
    Unavailable,
)
from dispatcher.store import Store
from dispatcher.store.values import Claim, Hold
from support.claims import claim_one, take
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.store_jobs import START, claim, enqueue, placed, refused, snapshot

EVERY = 300.0


@pytest.fixture
def account(store: Store) -> Store:
    store.limiter.publish(AccountConfig(one_at_a_time=False, connections=1000, floor=50, breaker=3))
    return store


def fail(store: Store, error: ProviderError, id_: str = "") -> State | None:
    """Have the provider refuse a job's request."""
    job = dialing(store, id_ or enqueue(store))
    return store.calls.settle(job.id, len(job.attempts), refused(error, job))


def succeed(store: Store, id_: str) -> None:
    store.calls.settle(id_, len(dialing(store, id_).attempts), placed(f"call-{id_}"))


def dialing(store: Store, id_: str) -> Job:
    """Claim a job, where no take did; return it."""
    if state(store, id_) is not State.DIALING:
        claim(store, id_)
    return store.jobs.get(id_)


def ready(store: Store) -> list[str]:
    """Return the jobs that stand in line."""
    return list(snapshot(store).get("by_state:queued", {}))


def see(store: Store, balance: int = 1000) -> None:
    look = store.budget.take_check(lease=60, now=True)
    assert look is not None
    store.budget.note_balance(Decimal(balance), look, EVERY)


def hold(store: Store) -> Hold | None:
    found = store.holds.all()
    assert len(found) <= 1
    return found[0] if found else None


def state(store: Store, id_: str) -> State:
    return store.jobs.get(id_).state


# -- how they close ------------------------------------------------------------------------


def test_failures_in_a_row_close_provider_down_and_a_success_between_starts_anew(
    account: Store,
) -> None:
    for _ in range(5):
        fail(account, Unavailable("503"))
        fail(account, NeverReached("refused"))
        succeed(account, enqueue(account))
    assert hold(account) is None
    for error in (Unavailable("503"), NeverReached("refused"), Unavailable("still 503")):
        assert fail(account, error) is State.SCHEDULED
    closed = hold(account)
    assert closed is not None
    assert (closed.name, closed.why) == ("provider_down", "still 503")
    assert claim_one(account, enqueue(account), token="t", lease=30) is State.HELD


@pytest.mark.parametrize("answer", [InvalidRequest("400"), Throttled("429", retry_after=0)])
def test_an_answer_of_any_kind_shows_that_the_provider_is_there(
    account: Store, answer: ProviderError
) -> None:
    for error in [Unavailable("503"), Unavailable("503"), answer] * 3:
        fail(account, error)
    assert hold(account) is None


def test_where_a_call_may_have_been_placed_many_more_failures_are_waited_for(
    account: Store,
) -> None:
    for _ in range(29):
        fail(account, AnswerLost("cut"))
    assert hold(account) is None
    fail(account, AnswerLost("cut"))
    assert hold(account) is not None


def test_where_a_look_fails_as_well_they_are_not(account: Store, clock: Clock) -> None:
    see(account)
    clock.forward(5)
    for _ in range(3):
        assert account.budget.take_check(lease=60) is None
        fail(account, AnswerLost("cut"))
    assert account.budget.take_check(lease=60) is not None
    account.budget.check_failed("no answer", EVERY)
    closed = hold(account)
    assert closed is not None
    assert (closed.name, closed.why) == ("provider_down", "no answer")


def test_a_failed_look_alone_closes_nothing(account: Store) -> None:
    for _ in range(10):
        account.budget.check_failed("no answer", EVERY)
    assert hold(account) is None


# -- how they open -------------------------------------------------------------------------

STOPS = {
    "auth": [BadCredentials("401")],
    "provider_down": [Unavailable("503")] * 3,
    "credit": [NotEnoughCredits("403", required=Decimal(20))],
}


def stop(store: Store, name: str) -> None:
    for error in STOPS[name]:
        fail(store, error)


@pytest.mark.parametrize("name", STOPS)
def test_when_a_look_succeeds_one_job_tries_and_its_call_lets_all_go(
    account: Store, clock: Clock, name: str
) -> None:
    stop(account, name)
    bulk, normal, urgent = (enqueue(account, priority=p) for p in ("bulk", "normal", "urgent"))
    assert take(account) == []
    clock.forward(1)
    see(account)
    half_open = hold(account)
    assert half_open is not None
    assert half_open.half_open
    account.queue.pump()
    assert take(account) == [urgent]
    account.queue.pump()
    assert take(account) == []
    succeed(account, urgent)
    assert hold(account) is None
    account.queue.pump()
    assert {state(account, id_) for id_ in (bulk, normal)} == {State.QUEUED}


@pytest.mark.parametrize("name", STOPS)
def test_a_try_that_fails_closes_the_gate_again_for_longer(
    account: Store, clock: Clock, name: str
) -> None:
    stop(account, name)
    id_ = enqueue(account, priority="urgent")
    take(account)
    gaps = []
    clock.forward(0.001)
    for _ in range(6):  # a hold for credit is of one tariff from the second on
        since = clock.ms
        while not (look := account.budget.take_check(lease=60)):
            clock.forward(1)
            assert clock.ms - since < 100_000
        gaps.append((clock.ms - since) // 1000)
        account.budget.note_balance(Decimal(1000), look, EVERY)
        account.queue.pump()
        (tries,) = take(account)
        fail(account, STOPS[name][0], tries)
        clock.forward(0.001)
        closed = hold(account)
        assert closed is not None
        assert not closed.half_open
        if state(account, id_) is State.SCHEDULED:
            id_ = enqueue(account, priority="urgent")
            take(account)
    assert gaps[0] <= 2
    assert gaps == sorted(gaps)
    if name == "credit":  # a top-up is what everybody waits for
        assert gaps[-1] == 8
    else:
        assert gaps[-1] >= 16


def test_a_try_that_tells_nothing_leaves_it_to_the_next_one(account: Store, clock: Clock) -> None:
    stop(account, "provider_down")
    for _ in range(3):
        enqueue(account)
    take(account)
    see(account)
    account.queue.pump()
    (first,) = ready(account)
    account.jobs.cancel(first, actor="cli")
    account.queue.pump()
    (second,) = take(account)
    assert first != second
    clock.forward(30)
    account.calls.rescue(300)  # its worker died
    account.queue.pump()
    (third,) = take(account)
    succeed(account, third)
    assert hold(account) is None


@pytest.mark.parametrize("claimed", [False, True])
def test_a_try_whose_record_was_deleted_by_hand_stops_nothing(
    account: Store, *, claimed: bool
) -> None:
    stop(account, "auth")
    for _ in range(2):
        enqueue(account)
    take(account)
    see(account)
    account.queue.pump()
    (first,) = take(account) if claimed else ready(account)
    redis_of(account).delete(key_of(account, "job", first))
    assert take(account) == []
    for _ in range(2):
        account.queue.pump()
    (second,) = take(account)
    assert second != first


def test_of_many_claims_only_one_tries(account: Store) -> None:
    ids = [enqueue(account) for _ in range(3)]
    stop(account, "auth")
    see(account)
    got = [claim_one(account, id_, token=id_, lease=30) for id_ in ids]
    assert [isinstance(each, Claim) for each in got] == [True, False, False]
    assert got[1:] == [State.HELD] * 2


def test_checks_do_not_ask_a_provider_that_refuses_the_account_and_looks_do(
    account: Store,
) -> None:
    stop(account, "auth")
    assert account.limiter.take_slot("check") == (False, 5)
    assert account.limiter.take_slot("look", probe=True) == (True, 0)
    see(account)
    assert account.limiter.take_slot("check") == (True, 0)


def test_wrong_credentials_and_no_credit_are_tried_by_the_same_job(account: Store) -> None:
    see(account, 40)
    fail_first = enqueue(account)
    assert claim_one(account, fail_first, token="t", lease=30) is State.HELD
    assert hold(account) is not None
    account.holds.start("auth", "401", refused=True)
    see(account, 1000)
    assert [(each.name, each.half_open) for each in account.holds.all()] == [("auth", True)]
    account.queue.pump()
    account.queue.pump()


# -- what is told --------------------------------------------------------------------------


def test_a_gate_that_closes_and_opens_is_told_once_each(account: Store, clock: Clock) -> None:
    stop(account, "auth")
    account.holds.start("auth", "401 again", refused=True)
    clock.forward(90)
    account.holds.end("auth", "mended")
    assert not account.holds.end("auth")
    told = list(account.events.after())
    assert [each.kind for each in told] == ["hold.started", "hold.ended"]
    assert told[0].facts == {"hold": "auth", "why": "401", "at": clock.ms - 90_000}
    assert told[1].facts == {"hold": "auth", "why": "mended", "at": clock.ms, "for": 90_000}
    assert list(account.events.after(told[0].cursor)) == told[1:]
    assert list(account.events.after(told[1].cursor)) == []


def test_notices_are_read_by_the_page_and_bounded(account: Store) -> None:
    for _ in range(700):
        account.holds.start("paused", "by kim")
        account.holds.end("paused")
    kept = list(account.events.after())
    assert 1000 <= len(kept) <= 1200
    assert kept == sorted(kept, key=lambda each: [int(part) for part in each.cursor.split("-")])
    assert "events" in snapshot(account)


def looks_fail(store: Store, clock: Clock, seconds: int, *, refused: bool) -> None:
    for _ in range(seconds):
        if store.budget.take_check(lease=60):
            store.budget.check_failed("no answer", EVERY, refused=refused)
        clock.forward(1)


@pytest.mark.parametrize("name", ["auth", "provider_down"])
def test_where_looks_tell_nothing_for_long_a_call_tries(
    account: Store, clock: Clock, name: str
) -> None:
    stop(account, name)
    id_ = enqueue(account, priority="urgent")
    take(account)
    looks_fail(account, clock, 60, refused=False)
    closed = hold(account)
    assert closed is not None
    assert not closed.half_open
    looks_fail(account, clock, 200, refused=False)
    account.queue.pump()
    assert take(account) == [id_]
    succeed(account, id_)
    assert hold(account) is None


def test_where_a_look_is_refused_like_a_call_no_call_tries(account: Store, clock: Clock) -> None:
    stop(account, "auth")
    looks_fail(account, clock, 600, refused=True)
    closed = hold(account)
    assert closed is not None
    assert not closed.half_open


def test_a_gate_is_closed_once_and_keeps_the_highest_price(store: Store) -> None:
    assert store.holds.start("credit", "required: 60", 60)
    assert not store.holds.start("credit", "required: 20", 20)
    (hold,) = store.holds.all()
    assert (hold.name, hold.since, hold.why, hold.required) == ("credit", START, "required: 20", 60)
    assert store.holds.end("credit")
    assert not store.holds.end("credit")
    assert store.holds.all() == []


def test_a_refusal_for_lack_of_credit_closes_the_gate_for_all(store: Store) -> None:
    first, second = enqueue(store), enqueue(store)
    made = claim(store, first)
    store.calls.settle(first, 1, refused(NotEnoughCredits("60", required=Decimal(60)), made.job))
    assert [(hold.name, hold.required) for hold in store.holds.all()] == [("credit", 60)]
    assert claim_one(store, second, token="t", lease=30) is State.HELD
