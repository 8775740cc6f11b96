"""Drills: rung by hand and on their schedules, and what they come to told once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from dispatcher.alerts.drills import Drills, UnknownChain
from dispatcher.model.alert import Acknowledgement, Alert, AlertReason, AlertState
from dispatcher.model.alert_change import AlertChange
from dispatcher.model.on_call import OnCall
from dispatcher.store import Store
from support.clock import Clock

ON_CALL: dict[str, Any] = {
    "contacts": {"ann": {"number": "+818012340002"}},
    "chains": {"database": {"steps": [{"call": ["ann"]}], "tell_resolved": True}},
    "drills": [{"chain": "database", "every": "day", "at": "10:00"}],
}
MORNING = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)


@pytest.fixture
def drills(store: Store, clock: Clock) -> Drills:
    """At nine, with a drill each day at ten that has been seen."""
    clock.ms = MORNING.timestamp() * 1000
    store.on_call.publish(OnCall.model_validate(ON_CALL), by="cli:sam")
    drills = Drills(store)
    assert drills() == {}
    return drills


def alerts(store: Store) -> list[Alert]:
    return store.alerts.page().alerts


def told(store: Store) -> list[tuple[str, Any]]:
    return [
        (e.kind, e.facts.get("by") or e.facts.get("why"))
        for e in store.events.after()
        if e.kind.startswith("drill.")
    ]


def test_a_drill_rings_when_it_is_due_once_however_many_look(
    drills: Drills, store: Store, clock: Clock
) -> None:
    clock.forward(3599)
    assert drills() == {}
    clock.forward(1)
    with ThreadPoolExecutor(4) as pool:
        assert sum(each.get("rung", 0) for each in pool.map(lambda _: drills(), range(8))) == 1
    (alert,) = alerts(store)
    assert (alert.source, alert.state, alert.chain) == ("drill", AlertState.RINGING, "database")
    assert alert.started_at == MORNING.replace(hour=10)
    clock.forward(86_400)
    assert drills() == {"rung": 1}
    assert len(alerts(store)) == 2


def test_a_schedule_that_is_new_begins_with_its_next_time(store: Store, clock: Clock) -> None:
    """Whoever writes it down at half past ten does not have somebody called at once."""
    clock.ms = MORNING.replace(hour=10, minute=30).timestamp() * 1000
    store.on_call.publish(OnCall.model_validate(ON_CALL), by="cli:sam")
    drills = Drills(store)
    assert drills() == {}
    assert alerts(store) == []
    clock.forward(23.5 * 3600)
    assert drills() == {"rung": 1}


def test_after_a_short_downtime_it_rings_late_and_after_a_long_one_it_is_left_out(
    drills: Drills, store: Store, clock: Clock
) -> None:
    clock.forward(3600 + 1800)
    assert drills() == {"rung": 1}
    clock.forward(3 * 86_400)  # at half past ten: those in between are not made up for
    assert drills() == {"rung": 1}
    clock.forward(86_400 + 7200)
    assert [drills(), drills()] == [{}, {}]
    assert told(store) == [("drill.skipped", "nothing ran that would have rung it in time")]
    assert len(alerts(store)) == 2


def test_one_that_died_half_way_rings_once_and_its_outcome_is_told(
    drills: Drills, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the alert was written, and before it was noted that the drill was dealt with."""
    clock.forward(3600)

    def die(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(store.drills, "rings", die)
        with pytest.raises(SystemExit):
            drills()
    assert drills() == {"rung": 1}
    (alert,) = alerts(store)
    store.alerts.acknowledge(alert.id, by="ann", how=Acknowledgement.CLI)
    assert [drills(), drills()] == [{"ended": 1}, {}]
    assert told(store) == [("drill.passed", "ann")]


def test_a_drill_that_somebody_has_passed_and_is_over(drills: Drills, store: Store) -> None:
    alert = drills.ring("database", actor="cli:sam", note="after the holidays")
    assert (alert.state, alert.annotations) == (
        AlertState.RINGING,
        {"note": "after the holidays"},
    )
    assert drills() == {}
    store.alerts.acknowledge(alert.id, by="ann", how=Acknowledgement.CLI)
    assert drills() == {"ended": 1}
    assert told(store) == [("drill.passed", "ann")]
    over = store.alerts.get(alert.id)
    assert (over.state, over.acknowledged_by) == (AlertState.RESOLVED, "ann")
    assert not over.telling  # nobody is called to hear that a drill is over
    assert store.statistics.counters()["drills.passed"] == 1


def test_a_drill_that_nobody_has_failed_and_says_why(drills: Drills, store: Store) -> None:
    alert = drills.ring("database", actor="cli:sam")
    change = AlertChange(
        round=1, step=0, state=AlertState.UNREACHED, reason=AlertReason.NOBODY_ANSWERED
    )
    assert store.alerts.advance(alert.id, alert.version, change)
    assert drills() == {"ended": 1}
    assert told(store) == [("drill.failed", "nobody was reached: nobody answered")]
    other = drills.ring("database", actor="cli:sam")
    store.alerts.cancel(other.id, by="cli:sam")
    assert drills() == {"ended": 1}
    assert told(store)[1:] == [("drill.failed", "somebody cancelled it")]


def test_a_chain_that_is_not_there_is_named(drills: Drills, store: Store) -> None:
    with pytest.raises(UnknownChain, match="there is no chain 'web': there are database"):
        drills.ring("web", actor="cli:sam")


def test_without_anybody_on_call_nothing_is_due(store: Store) -> None:
    drills = Drills(store)
    assert drills() == {}
    with pytest.raises(UnknownChain, match="no chain was published"):
        drills.ring("web", actor="cli:sam")
