"""Alerts in the store: one incident is one alert, whatever is reported of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dispatcher.model.alert import (
    Acknowledgement,
    AlertReason,
    AlertState,
    Severity,
    UnknownAlert,
)
from dispatcher.store import Store
from dispatcher.store.alert_values import AlertRow
from support.clock import Clock
from support.store_alerts import (
    START,
    firing,
    record,
    resolved,
    ring,
)

HOUR = 3600.0


def test_a_new_alert_rings_and_is_to_be_looked_at_now(store: Store) -> None:
    (made,) = record(store, firing(labels={"instance": "db1"}, link="https://am.example/1"))
    assert (made.what, made.state, made.told_by) == ("new", AlertState.RINGING, None)
    alert = store.alerts.get(made.id)
    assert (alert.summary, alert.severity, alert.chain) == (
        "f1 is full",
        Severity.ERROR,
        "database",
    )
    assert (alert.labels, alert.link) == ({"instance": "db1"}, "https://am.example/1")
    assert (alert.started_at, alert.reports, alert.round) == (START, 1, 0)
    assert alert.began_at == alert.received_at
    assert alert.rules is not None
    assert alert.rules.steps[0].call == ("ann",)
    assert [line.what for line in alert.timeline] == ["ringing"]
    assert store.alerts.take_due() == [made.id]
    assert store.alerts.take_due() == []  # leased
    assert store.alerts.counts()[AlertState.RINGING] == 1


def test_a_taken_alert_of_which_nothing_came_comes_again(store: Store, clock: Clock) -> None:
    id_ = ring(store).id
    assert store.alerts.take_due() == [id_]
    clock.forward(11)
    assert store.alerts.take_due() == [id_]


def test_what_is_reported_again_rings_nobody(store: Store) -> None:
    first = ring(store)
    (again,) = record(store, firing(summary="f1 is fuller", severity=Severity.CRITICAL))
    assert (again.id, again.what) == (first.id, "repeat")
    alert = store.alerts.get(first.id)
    assert (alert.reports, alert.summary, alert.severity) == (2, "f1 is fuller", Severity.CRITICAL)
    assert sum(store.alerts.counts().values()) == 1


def test_a_new_incident_of_a_rule_is_another_alert_and_the_old_one_is_over(store: Store) -> None:
    first = ring(store)
    (second,) = record(store, firing(started_at=START + timedelta(hours=1)))
    assert second.what == "new"
    assert second.id != first.id
    assert store.alerts.get(first.id).state is AlertState.RESOLVED


def test_an_incident_whose_start_turns_out_to_be_earlier_is_the_same(store: Store) -> None:
    first = ring(store)
    earlier = START - timedelta(minutes=1)
    (again,) = record(store, firing(started_at=earlier))
    assert (again.id, again.what) == (first.id, "repeat")
    (over,) = record(store, resolved(started_at=earlier))
    assert (over.id, over.state) == (first.id, AlertState.RESOLVED)
    (late,) = record(store, firing(started_at=earlier))
    assert (late.id, late.what, late.state) == (first.id, "repeat", AlertState.RESOLVED)


def test_without_a_start_it_is_the_open_alert_or_a_new_one(store: Store) -> None:
    (first,) = record(store, firing(started_at=None))
    (again,) = record(store, firing(started_at=None))
    assert (again.id, again.what) == (first.id, "repeat")
    (over,) = record(store, resolved(started_at=None))
    assert (over.id, over.what) == (first.id, "resolved")
    (nothing,) = record(store, resolved(started_at=None))
    assert (nothing.id, nothing.what) == (first.id, "resolved")
    (other,) = record(store, firing(started_at=None))
    assert (other.what, other.id != first.id) == ("new", True)
    (unknown,) = record(store, resolved("f2", started_at=None))
    assert (unknown.id, unknown.what) == ("", "unknown")


def test_a_source_that_never_repeats_reports_a_new_incident_each_time(store: Store) -> None:
    """As long as the last one rings it is the same: an answer was lost, and it was sent again."""
    how = {"started_at": None, "repeats": False}
    (first,) = record(store, firing(**how))
    assert record(store, firing(**how))[0].what == "repeat"
    store.alerts.acknowledge(first.id, by="ann", how=Acknowledgement.CLI)
    (second,) = record(store, firing(**how))
    assert second.what == "new"
    assert store.alerts.get(first.id).state is AlertState.RESOLVED


def test_what_is_over_before_it_was_reported_rings_nobody(store: Store) -> None:
    (over,) = record(store, resolved())
    assert over.state is AlertState.RESOLVED
    (late,) = record(store, firing())
    assert (late.id, late.what, late.state) == (over.id, "repeat", AlertState.RESOLVED)
    assert store.alerts.take_due() == []


def test_a_route_to_nobody_and_no_route_at_all(store: Store) -> None:
    rows = [AlertRow(firing("quiet"), called=False), AlertRow(firing("lost"))]
    quiet, lost = store.alerts.record(rows, actor="am")
    assert (quiet.what, quiet.state) == ("not_called", AlertState.NOT_CALLED)
    assert lost.state is AlertState.UNREACHED
    assert store.alerts.get(lost.id).reason is AlertReason.NO_CHAIN
    (found,) = record(store, firing("lost"))
    assert (found.what, found.state) == ("again", AlertState.RINGING)  # as soon as there is one


def test_an_acknowledged_alert_rings_again_after_repeat_after(store: Store, clock: Clock) -> None:
    first = ring(store)
    store.alerts.acknowledge(first.id, by="ann", how=Acknowledgement.HTTP)
    clock.forward(3 * HOUR)
    assert record(store, firing())[0].what == "repeat"
    clock.forward(HOUR)
    (again,) = record(store, firing())
    assert (again.id, again.what, again.state) == (first.id, "again", AlertState.RINGING)
    assert store.alerts.get(first.id).acknowledged_by is None


def test_pages_lead_from_the_newest_to_the_oldest(store: Store, clock: Clock) -> None:
    ids = []
    for n in range(25):
        ids.append(ring(store, f"f{n}").id)
        clock.forward(1000)
    found, cursor = [], None
    while True:
        page = store.alerts.page(limit=10, cursor=cursor)
        found += [alert.id for alert in page.alerts]
        cursor = page.cursor
        if cursor is None:
            break
    assert found == ids[::-1]
    store.alerts.cancel(ids[3], by="ann")
    (one,) = store.alerts.page(states={AlertState.CANCELLED}).alerts
    assert one.id == ids[3]
    assert store.alerts.page(chain="other").alerts == []


def test_there_is_no_such_alert(store: Store) -> None:
    with pytest.raises(UnknownAlert):
        store.alerts.get("nothing")
    with pytest.raises(UnknownAlert):
        store.alerts.acknowledge("nothing", by="ann", how=Acknowledgement.CLI)


def test_what_ended_long_ago_is_purged_whole(store: Store, clock: Clock) -> None:
    alert = ring(store)
    record(store, resolved())
    clock.forward(HOUR)
    assert store.alerts.purge_older(store.now()) == 1
    with pytest.raises(UnknownAlert):
        store.alerts.get(alert.id)


def test_what_fires_with_its_old_start_after_it_was_over_rings_again(
    store: Store, clock: Clock
) -> None:
    """Prometheus was cut off from Alertmanager, which took its alerts for resolved."""
    first = ring(store)
    record(store, resolved())
    clock.forward(119)
    assert record(store, firing())[0].what == "repeat"
    clock.forward(1)
    (again,) = record(store, firing())
    assert (again.id, again.what, again.state) == (first.id, "again", AlertState.RINGING)
    assert store.alerts.get(first.id).ended_at is None
    record(store, firing(started_at=START + timedelta(hours=1)))
    clock.forward(200)
    assert record(store, firing())[0].what == "repeat"  # of what a newer incident has ended


def test_what_was_for_nobody_rings_when_a_route_leads_to_somebody(store: Store) -> None:
    """A warning of Nagios is for nobody, and becomes critical: it is the same incident."""
    (first,) = store.alerts.record([AlertRow(firing(), called=False)], actor="nagios")
    assert first.state is AlertState.NOT_CALLED
    store.alerts.record([AlertRow(firing(), called=False)], actor="nagios")
    assert store.alerts.get(first.id).state is AlertState.NOT_CALLED
    (again,) = record(store, firing(severity=Severity.CRITICAL))
    assert (again.id, again.what, again.state) == (first.id, "again", AlertState.RINGING)
    assert store.alerts.take_due() == [first.id]
