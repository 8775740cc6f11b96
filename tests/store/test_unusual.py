"""What is unusual of the account's calls is told, and holds them where the settings say so."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.states import State
from dispatcher.model.unusual import Unusual, parse_unusual
from dispatcher.policy import after_report
from dispatcher.store import Store
from dispatcher.store.holds import PauseScope
from dispatcher.values.choices import UnknownChoice
from support.claims import claim_one
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.reports import ended
from support.store_jobs import POLICY, claim, enqueue, in_progress

JAPAN, AMERICA, SOMALIA = "+818011234567", "+12025550123", "+252612345678"
MANY = [
    *(AMERICA, SOMALIA, "+18765551234", "+442083661177", "+4915112345678", "+33612345678"),
    *("+393123456789", "+34612345678", "+61412345678", "+48512345678", "+46701234567"),
]
"""Numbers of different countries."""
HOUR = 3600.0


def told(store: Store) -> list[tuple[str, dict[str, Any]]]:
    """Return the unusual events, without their moments and reasons."""
    return [
        (each.kind, {k: v for k, v in each.facts.items() if k not in {"at", "why"}})
        for each in store.events.after()
        if each.kind.startswith("unusual.")
    ]


def call_all(store: Store, numbers: Iterable[str]) -> None:
    for number in numbers:
        claim(store, enqueue(store, recipient=number))


def spend(store: Store, credits_: int, hours_ago: float = 0) -> None:
    """Have spent credits, as the ledger keeps them."""
    at = store.now() - hours_ago * HOUR * 1000
    pipe = redis_of(store).pipeline()
    pipe.hincrby(key_of(store, "burn"), str(int(at // 600_000)), credits_ * 10_000)
    pipe.hincrby(key_of(store, "hourly_spending"), str(int(at // 3_600_000)), credits_ * 10_000)
    pipe.execute()


def minute(store: Store, clock: Clock) -> None:
    """Let a minute pass, and beat come."""
    clock.forward(60)
    store.queue.pump()


# -- countries -----------------------------------------------------------------------------


def test_a_country_that_was_never_called_before_is_told_once(store: Store) -> None:
    call_all(store, [JAPAN, JAPAN])
    assert told(store) == []  # with nothing before, nothing is unusual
    call_all(store, [SOMALIA, SOMALIA, JAPAN])
    assert told(store) == [("unusual.country", {"country": "SO"})]
    assert store.statistics.counters()["unusual.country"] == 1
    assert store.holds.all() == []


def test_what_was_paid_for_before_this_was_kept_is_nothing_new(store: Store) -> None:
    redis_of(store).hset(key_of(store, "costs"), "tts:JP", "1 1 1 1 1")
    redis_of(store).hset(key_of(store, "costs"), "conference/2:US,GB", "1 1 1 1 1")
    call_all(store, [AMERICA, JAPAN, SOMALIA])
    assert told(store) == [("unusual.country", {"country": "SO"})]


def test_ten_new_countries_within_an_hour_are_told_as_such(store: Store, clock: Clock) -> None:
    call_all(store, [JAPAN, *MANY[:9]])
    assert {kind for kind, _ in told(store)} == {"unusual.country"}
    call_all(store, MANY[9:10])
    assert told(store)[-1] == ("unusual.countries", {"countries": 10})
    call_all(store, MANY[10:])  # the eleventh is no further ten
    assert [kind for kind, _ in told(store)].count("unusual.countries") == 1


def test_ten_new_countries_within_a_longer_time_are_not(store: Store, clock: Clock) -> None:
    call_all(store, [JAPAN])
    for number in MANY:
        call_all(store, [number])
        clock.forward(HOUR / 8)
    assert {kind for kind, _ in told(store)} == {"unusual.country"}


def test_a_new_country_holds_all_calls_where_that_is_set_until_somebody_resumes(
    store: Store,
) -> None:
    store.limiter.publish(AccountConfig(hold_unusual=frozenset({Unusual.COUNTRY})))
    call_all(store, [JAPAN])
    new, usual = enqueue(store, recipient=SOMALIA), enqueue(store, recipient=AMERICA)
    assert claim_one(store, new, token="t", lease=30) is State.HELD
    assert claim_one(store, usual, token="t", lease=30) is State.HELD
    job = store.jobs.get(new)
    assert (job.hold_reason, job.attempts) == ("unusual", ())
    (hold,) = store.holds.all()
    assert (hold.name, hold.why) == ("unusual", "SO was never called before")
    assert store.holds.resume(PauseScope(unusual=True), actor="cli:sam", note="ours")
    store.queue.pump()
    assert claim(store, new).attempt == 1
    assert [(e.action, e.target) for e in store.audit.read()] == [("resume", "unusual")]


def test_many_countries_hold_where_only_they_do(store: Store) -> None:
    store.limiter.publish(
        AccountConfig(connections=50, hold_unusual=frozenset({Unusual.COUNTRIES}))
    )
    call_all(store, [JAPAN, *MANY[:9]])
    id_ = enqueue(store, recipient=MANY[9])
    assert claim_one(store, id_, token="t", lease=30) is State.HELD


def test_what_is_kept_of_countries_is_bounded_by_their_number(store: Store) -> None:
    call_all(store, [JAPAN, *MANY, *MANY])
    assert redis_of(store).hlen(key_of(store, "countries_called")) == 1 + len(MANY)


# -- spending ------------------------------------------------------------------------------


def usual_hours(store: Store, credits_: int) -> None:
    for ago in (30, 20, 10, 5):
        spend(store, credits_, hours_ago=ago)


def test_ten_times_as_much_as_usual_within_an_hour_is_told_once(store: Store, clock: Clock) -> None:
    usual_hours(store, 100)
    spend(store, 990)
    minute(store, clock)
    assert told(store) == []
    spend(store, 10)
    minute(store, clock)
    assert told(store) == [("unusual.spending", {"spent": 1000, "usual": 100})]
    minute(store, clock)
    assert len(told(store)) == 1
    assert store.holds.all() == []


def test_what_calls_under_way_have_reserved_counts(store: Store, clock: Clock) -> None:
    usual_hours(store, 50)
    spend(store, 490)
    claim(store, enqueue(store))  # which reserves 20
    minute(store, clock)
    assert [facts["spent"] for _, facts in told(store)] == [510]


@pytest.mark.parametrize("before", [(), (0.5,), (200,)], ids=["nothing", "just now", "long ago"])
def test_with_no_usual_spending_nothing_is_a_rise(
    store: Store, clock: Clock, before: tuple[float, ...]
) -> None:
    for ago in before:
        spend(store, 1, hours_ago=ago)
    spend(store, 5000)
    minute(store, clock)
    assert told(store) == []


def test_a_few_calls_more_are_no_rise(store: Store, clock: Clock) -> None:
    """19 calls of 20 credits, where one is usual."""
    usual_hours(store, 20)
    spend(store, 380)
    minute(store, clock)
    assert told(store) == []


def test_a_rise_holds_all_calls_where_that_is_set(store: Store, clock: Clock) -> None:
    store.limiter.publish(AccountConfig(hold_unusual=frozenset({Unusual.SPENDING})))
    usual_hours(store, 100)
    spend(store, 2000)
    minute(store, clock)
    assert claim_one(store, enqueue(store), token="t", lease=30) is State.HELD
    (hold,) = store.holds.all()
    assert hold.why == "2000 credits were spent or reserved within an hour, 100 are usual"


def test_a_clock_that_was_ahead_makes_nothing_usual_and_nothing_told(
    store: Store, clock: Clock
) -> None:
    usual_hours(store, 100)
    spend(store, 2000)
    clock.forward(48 * HOUR)
    spend(store, 9000)
    minute(store, clock)
    clock.forward(-48 * HOUR)
    minute(store, clock)
    assert ("unusual.spending", {"spent": 2000, "usual": 100}) in told(store)
    hours = [int(hour) for hour in redis_of(store).hkeys(key_of(store, "hourly_spending"))]
    assert max(hours) <= store.now() // 3_600_000


def test_hours_are_kept_for_a_week(store: Store, clock: Clock) -> None:
    for ago in (0, 24, 167, 169, 500):
        spend(store, 1, hours_ago=ago)
    minute(store, clock)
    assert redis_of(store).hlen(key_of(store, "hourly_spending")) == 3


def test_the_cost_of_a_call_counts_for_its_hour(store: Store) -> None:
    id_ = in_progress(store)
    job = store.jobs.get(id_)
    store.calls.settle(id_, 1, after_report(ended("ANSWERED", Decimal("7.5")), job, POLICY))
    assert redis_of(store).hvals(key_of(store, "hourly_spending")) == [b"75000"]


def test_other_names_are_refused_with_those_there_are() -> None:
    assert parse_unusual(["Spending ", "country"]) == {Unusual.SPENDING, Unusual.COUNTRY}
    with pytest.raises(UnknownChoice, match="choose from country, countries, spending"):
        parse_unusual(["all"])
