"""What became of each hour: added up by beat, exact, and no burden for those who count."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from dispatcher.policy import after_report
from dispatcher.store import Store
from dispatcher.store.history import HOURS_KEPT, WEEK
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.reports import ended
from support.store_jobs import POLICY, failed, in_progress
from workers.engine.ticks import KeepHistory

HOUR = 3600


def answered(store: Store, cost: Decimal) -> None:
    id_ = in_progress(store, f"call-{store.now()}")
    decision = after_report(ended("ANSWERED", cost, 12), store.jobs.get(id_), POLICY)
    assert decision is not None
    store.calls.settle(id_, 1, decision)


def told(store: Store, many: int) -> list[tuple[dict[str, int] | None, Decimal | None]]:
    return [
        (None if hour.outcomes is None else dict(hour.outcomes), hour.spent)
        for hour in store.history.hours(many)
    ]


def test_an_hour_is_told_before_and_after_it_is_added_up_and_twice_changes_nothing(
    store: Store, clock: Clock
) -> None:
    answered(store, Decimal("7.5"))
    failed(store)
    clock.forward(HOUR)
    answered(store, Decimal(2))
    before = told(store, 3)
    assert before == [
        ({}, Decimal(0)),
        ({"completed": 1, "failed:invalid_request": 1}, Decimal("7.5")),
        ({"completed": 1}, Decimal(2)),
    ]
    assert store.history.keep() == 23
    assert store.history.keep() == 0
    assert told(store, 3) == before


def test_the_hours_of_a_day_without_beat_are_added_up_when_it_is_back(
    store: Store, clock: Clock
) -> None:
    for _ in range(23):
        failed(store)
        clock.forward(HOUR)
    assert store.history.keep() == 23
    redis_of(store).delete(*redis_of(store).keys(key_of(store, "outcomes", "*")))
    assert [found for found, _ in told(store, 24)] == [{"failed:invalid_request": 1}] * 23 + [{}]


def test_what_nobody_added_up_in_time_is_not_known_and_not_taken_for_nothing(
    store: Store, clock: Clock
) -> None:
    store.history.keep()
    clock.forward(30 * HOUR)
    store.history.keep()
    known = [hour.outcomes is not None for hour in store.history.hours(32)]
    assert known == [True] + [False] * 7 + [True] * 24


def test_the_same_hour_of_other_weeks_is_found(store: Store, clock: Clock) -> None:
    for cost in (10, 20):
        answered(store, Decimal(cost))
        clock.forward(HOUR)
        store.history.keep()
        clock.forward((WEEK - 1) * HOUR)
    now, ahead = store.history.alike(1)
    assert [hour.spent for hour in now[:3]] == [Decimal(20), Decimal(10), None]
    assert all(hour.at.weekday() == now[0].at.weekday() for hour in now)
    assert [hour.spent for hour in ahead[:1]] == [None]  # of the hour that followed, beat was away


def test_hours_are_forgotten_after_five_weeks(store: Store, clock: Clock) -> None:
    store.history.keep()
    clock.forward((HOURS_KEPT - 22) * HOUR)
    store.history.keep()
    hours = sorted(map(int, redis_of(store).hkeys(key_of(store, "history"))))
    assert hours[0] == clock.ms // 3_600_000 - HOURS_KEPT
    assert len(hours) == 23 + 22


def test_beat_notes_the_lines_once_a_minute_and_a_hole_ends_what_is_told(
    store: Store, clock: Clock
) -> None:
    tick = KeepHistory(store)
    assert store.line_lengths.latest() == []
    for jobs in (1, 5, 9):
        store.line_lengths.note(jobs)
        store.line_lengths.note(99)  # of the same minute
        clock.forward(60)
    assert store.line_lengths.latest() == [1, 5, 9]
    clock.forward(60)
    assert store.line_lengths.latest() == []
    tick()
    assert store.line_lengths.latest() == [0]
    for _ in range(20):
        clock.forward(60)
        tick()
    assert len(store.line_lengths.latest()) == 10
    assert redis_of(store).hlen(key_of(store, "line_lengths")) == 10


def test_an_hour_adds_up_its_minutes(store: Store, clock: Clock) -> None:
    """Also where it was looked at while it ran."""
    clock.forward(-(clock.ms % 3_600_000) / 1000)  # to the begin of an hour
    for _ in range(60):
        failed(store)
        clock.forward(60)
        store.history.keep()
    (hour, _) = store.history.hours(2)
    assert hour.outcomes == Counter({"failed:invalid_request": 60})
