"""Spending limits: of the account, a tag, a producer, a call; by the calendar of a named zone."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.states import State
from dispatcher.policy import after_report
from dispatcher.store import Store
from dispatcher.store.spending import (
    InvalidLimit,
    Period,
    SpendingLimit,
    day,
    limit_amount,
    limit_scope,
)
from dispatcher.store.values import Claim
from support.claims import Day, claim_one, take
from support.clock import Clock
from support.reports import ended
from support.store_jobs import POLICY, enqueue, placed

RULES: dict[str, Any] = {"one_at_a_time": False, "connections": 1000, "expected_cost": 10}


@pytest.fixture
def account(store: Store) -> Store:
    store.limiter.publish(AccountConfig(**RULES))
    return store


def dial(store: Store, id_: str) -> State | None:
    made = claim_one(store, id_, token=id_, lease=30)
    if isinstance(made, Day):
        store.spending.begin_day(made.zone)
        made = claim_one(store, id_, token=id_, lease=30)
    if isinstance(made, Claim):
        return store.calls.settle(id_, made.attempt, placed(f"call-{id_}-{made.attempt}"))
    assert isinstance(made, State)
    return made


def end(store: Store, id_: str, cost: str) -> None:
    job = store.jobs.get(id_)
    decision = after_report(ended("ANSWERED", Decimal(cost), 3), job, POLICY)
    assert decision is not None
    store.calls.settle(id_, 1, decision)


def dialled(store: Store, many: int, **fields: Any) -> tuple[list[str], int]:
    """Dial so many new jobs; return their ids, and how many calls went out."""
    ids = sorted(enqueue(store, **fields) for _ in range(many))  # their order in line
    return ids, sum(dial(store, id_) is State.IN_PROGRESS for id_ in ids)


def of(store: Store, name: str) -> SpendingLimit:
    return next(limit for limit in store.spending.limits() if limit.scope == name)


def set_limit(store: Store, wanted: SpendingLimit) -> None:
    """Set a limit, which counts from the next millisecond on."""
    store.spending.set(wanted)
    assert isinstance(store._connection._clock, Clock)
    store._connection._clock.forward(0.001)


def per_day(name: str, credits_: int) -> SpendingLimit:
    return SpendingLimit(name, Decimal(credits_), Period.DAY)


def test_a_limit_of_a_tag_holds_its_jobs_and_no_others(account: Store) -> None:
    set_limit(account, SpendingLimit("tag:campaign:x", Decimal(35), Period.TOTAL))
    ids, went = dialled(account, 5, tags=["campaign:x"])
    assert went == 3
    assert dialled(account, 5)[1] == 5
    held = account.jobs.get(ids[-1])
    assert (held.state, held.hold_reason, held.spent) == (State.HELD, "limit", 0)
    assert held.timeline[-1].why == (
        "the spending limit of 35 credits for tag campaign:x is reached:"
        " 30 spent or reserved, a call needs 10"
    )
    take(account)
    told = [each for each in account.events.after() if each.kind == "limit.reached"]
    assert [each.facts["scope"] for each in told] == ["tag:campaign:x"]
    assert [hold.name for hold in account.holds.all()] == ["limit:tag:campaign:x"]
    assert account.holds.all()[0].stops(held)
    assert not account.holds.all()[0].stops(account.jobs.get(enqueue(account)))


def test_a_limit_of_a_producer_counts_what_it_asked_for(account: Store) -> None:
    set_limit(account, per_day("client:api:shop", 20))
    from_shop = [
        account.jobs.enqueue(request_, actor="api:shop").id
        for request_ in [_request() for _ in "123"]
    ]
    assert [dial(account, id_) for id_ in from_shop] == [
        *[State.IN_PROGRESS] * 2,
        State.HELD,
    ]
    assert dialled(account, 3)[1] == 3
    assert account.holds.all()[0].stops(account.jobs.get(from_shop[2]))


def _request() -> Any:
    from support.store_jobs import request  # noqa: PLC0415

    return request()


def test_what_calls_really_cost_is_what_counts_in_the_end(account: Store) -> None:
    set_limit(account, SpendingLimit("tag:a", Decimal(40), Period.TOTAL))
    ids, went = dialled(account, 5, tags=["a"])
    assert (went, of(account, "tag:a").used) == (4, 40)
    for id_, cost in zip(ids, ("0", "2.5003", "10", "12"), strict=False):
        end(account, id_, cost)
    assert of(account, "tag:a").used == Decimal("24.5003")
    account.queue.pump()
    assert account.holds.all() == []
    assert account.jobs.get(ids[4]).state is State.QUEUED


def test_a_limit_that_is_raised_or_cleared_lets_go_what_it_held(account: Store) -> None:
    set_limit(account, per_day("tag:a", 10))
    ids, went = dialled(account, 4, tags=["a"])
    assert went == 1
    take(account)
    set_limit(account, per_day("tag:a", 20))
    assert account.queue.pump().released == 1
    assert dial(account, ids[1]) is State.IN_PROGRESS
    assert dial(account, enqueue(account, tags=["a"])) is State.HELD
    assert account.spending.clear("tag:a")
    assert not account.spending.clear("tag:a")
    assert account.queue.pump().released == 3
    assert list(account.spending.limits()) == []


def test_calls_dialled_before_a_limit_stands_are_not_its_own(account: Store) -> None:
    ids, _ = dialled(account, 2, tags=["a"])
    set_limit(account, SpendingLimit("tag:a", Decimal(100), Period.TOTAL))
    for id_ in ids:
        end(account, id_, "7")
    assert of(account, "tag:a").used == 0


def test_a_daily_limit_begins_anew_by_the_calendar_of_its_zone(store: Store, clock: Clock) -> None:
    store.limiter.publish(AccountConfig(**RULES, spend_per_day=20, zone="Asia/Tokyo"))
    starts, ends = day(datetime.fromtimestamp(clock.ms / 1000, UTC), "Asia/Tokyo")
    assert (starts.hour, ends.hour) == (15, 15)
    ids, went = dialled(store, 4)
    assert went == 2
    assert (
        store.jobs.get(ids[2])
        .timeline[-1]
        .why.startswith(
            "the spending limit of 20 credits a day for the account is reached: 20 spent"
        )
    )
    clock.ms = round(ends.timestamp() * 1000) - 1
    assert store.queue.pump().released == 0
    clock.ms += 1
    assert store.queue.pump().released >= 2
    assert [dial(store, id_) for id_ in ids[2:]] == [State.IN_PROGRESS] * 2
    end(store, ids[0], "500")  # yesterday's: it was dialled then
    assert of(store, "account").used == 20
    assert dial(store, enqueue(store)) is State.HELD


def test_a_job_behind_a_limit_expires_in_its_time(account: Store, clock: Clock) -> None:
    set_limit(account, per_day("tag:a", 5))
    ids, _ = dialled(account, 1, tags=["a"], expires=60)
    assert account.jobs.get(ids[0]).state is State.HELD
    clock.forward(61)
    account.queue.pump()
    assert account.jobs.get(ids[0]).state is State.EXPIRED


def test_a_call_that_is_too_dear_is_refused_in_words(store: Store) -> None:
    store.limiter.publish(AccountConfig(**RULES, spend_per_call=15))
    (id_,), _ = dialled(store, 1, recipient="+14155550123")
    end(store, id_, "31.5")
    (too_dear,), _ = dialled(store, 1, recipient="+14155550124")
    job = store.jobs.get(too_dear)
    assert (job.state, job.reason, job.spent) == (State.FAILED, "not_allowed", 0)
    assert job.timeline[-1].why == (
        "too expensive: a call of this kind (tts:US) is expected to cost 31.5 credits,"
        " the limit is 15"
    )


def test_two_workers_that_set_the_same_day_begin_it_once(account: Store) -> None:
    set_limit(account, per_day("tag:a", 100))
    account.spending.begin_day("UTC")
    dialled(account, 2, tags=["a"])
    account.spending.begin_day("UTC")
    assert of(account, "tag:a").used == 20


@pytest.mark.parametrize(
    ("now", "zone", "length"),
    [
        ("2026-03-29T12:00", "Europe/Berlin", 23),
        ("2026-10-25T12:00", "Europe/Berlin", 25),
        ("2026-10-25T00:30", "Europe/Berlin", 25),
        ("2026-07-01T23:30", "Asia/Tokyo", 24),
        ("2026-09-06T12:00", "America/Santiago", 23),  # midnight itself is left out
    ],
)
def test_a_day_is_as_long_as_the_clocks_make_it(now: str, zone: str, length: int) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    starts, ends = day(moment, zone)
    assert starts <= moment < ends
    assert (ends - starts).total_seconds() == length * 3600
    assert day(ends, zone)[0] == ends


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("500/day", (Decimal(500), Period.DAY)),
        ("0.5/total", (Decimal("0.5"), Period.TOTAL)),
        ("10000", (Decimal(10000), Period.TOTAL)),
    ],
)
def test_amounts_are_credits_a_day_or_altogether(text: str, meant: tuple[Decimal, Period]) -> None:
    assert limit_amount(text) == meant


@pytest.mark.parametrize("text", ["", "0/day", "-5", "5/week", "1e9", "99999999999", "NaN/day"])
def test_what_is_no_amount_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(InvalidLimit, match="500/day"):
        limit_amount(text)


@pytest.mark.parametrize("text", ["", "tag:", "client:", "campaign:x", "client:a b", "tag:a,b"])
def test_what_is_no_scope_is_refused(text: str) -> None:
    with pytest.raises(InvalidLimit):
        limit_scope(text)
