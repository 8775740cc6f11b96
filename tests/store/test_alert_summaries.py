"""The week's summary of alerts is told once, whoever works it out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from dispatcher.store import Store
from dispatcher.values.weekly import Weekly
from support.clock import Clock
from support.seen_alerts import event, reported, unreached
from workers.engine.alert_summary import SummariseAlerts

WEEK = 7 * 86_400
MONDAYS = Weekly.parse("mon 09:00 UTC")


@pytest.fixture
def tick(store: Store) -> SummariseAlerts:
    return SummariseAlerts(store, MONDAYS)


def told(store: Store) -> list[dict]:  # type: ignore[type-arg]
    return [each.facts for each in store.events.after() if each.kind == "alerts.summary"]


def test_a_week_is_told_once_with_what_it_came_to(
    store: Store, clock: Clock, tick: SummariseAlerts
) -> None:
    tick()
    assert told(store) == []  # nothing was watched before
    (id_,) = reported(store, event(started_at=None))
    unreached(store, id_)
    clock.forward(WEEK)
    assert tick() == {"told": 1}
    assert tick() == {}
    (facts,) = told(store)
    assert (facts["alerts"], facts["unreached"]) == (1, {"nobody_answered": 1})
    assert facts["at"] == store.now()
    until = datetime.fromisoformat(facts["until"])
    assert (until.weekday(), until.hour) == (0, 9)
    assert until <= datetime.fromtimestamp(clock.ms / 1000, UTC)
    clock.forward(WEEK)
    tick()
    assert [each["alerts"] for each in told(store)] == [1, 0]


def test_many_at_once_tell_once(store: Store, clock: Clock, tick: SummariseAlerts) -> None:
    tick()
    clock.forward(WEEK)
    with ThreadPoolExecutor(8) as pool:
        done = [each.result() for each in [pool.submit(tick) for _ in range(8)]]
    assert sum(each.get("told", 0) for each in done) == 1
    assert len(told(store)) == 1


def test_after_weeks_without_a_process_the_last_is_told(
    store: Store, clock: Clock, tick: SummariseAlerts
) -> None:
    tick()
    clock.forward(5 * WEEK)
    tick()
    assert len(told(store)) == 1


def test_a_clock_that_goes_back_tells_no_week_again(
    store: Store, clock: Clock, tick: SummariseAlerts
) -> None:
    tick()
    clock.forward(WEEK)
    tick()
    clock.forward(-WEEK)
    tick()
    assert len(told(store)) == 1


def test_it_may_be_turned_off(store: Store, clock: Clock) -> None:
    off = SummariseAlerts(store, None)
    off()
    clock.forward(WEEK)
    assert off() == {}
    assert store.alert_summaries.last() is None
