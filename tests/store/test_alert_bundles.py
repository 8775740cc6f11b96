"""Alerts that come together, or in a storm, are told of by the calls of one."""

from __future__ import annotations

from datetime import timedelta

from dispatcher.model.alert import (
    Acknowledgement,
    AlertReason,
    AlertState,
    Severity,
)
from dispatcher.model.alert_change import AlertChange
from dispatcher.policy import after_report
from dispatcher.store import Store
from support.clock import Clock
from support.reports import ended
from support.store_alerts import (
    START,
    call,
    firing,
    record,
    resolved,
)
from support.store_jobs import POLICY, claim, placed

HOUR = 3600.0


def test_members_ring_again_together_in_another_bundle(store: Store, clock: Clock) -> None:
    one, _ = record(store, firing("f1"), firing("f2"))
    assert one.told_by is not None
    store.alerts.acknowledge(one.told_by, by="ann", how=Acknowledgement.CLI)
    clock.forward(4 * HOUR)
    (alone,) = record(store, firing("f1"))
    assert (alone.what, alone.state) == ("again", AlertState.RINGING)
    assert store.alerts.get(one.told_by).members == 1
    (other,) = record(store, firing("f2"))
    assert (other.what, other.state, other.told_by) == ("again", AlertState.RINGING, None)
    assert store.alerts.get(one.told_by).state is AlertState.RESOLVED  # it tells of nobody


def test_what_comes_together_is_told_of_by_one(store: Store) -> None:
    worst = firing("f2", severity=Severity.CRITICAL)
    one, two = record(store, firing("f1"), worst)
    assert (one.what, two.what) == ("folded", "folded")
    assert one.told_by is not None
    bundle = store.alerts.get(one.told_by)
    assert bundle.is_bundle
    assert (bundle.state, bundle.members, bundle.firing_members) == (AlertState.RINGING, 2, 2)
    assert (bundle.severity, bundle.summary) == (Severity.CRITICAL, "f2 is full")
    assert store.alerts.take_due() == [bundle.id]
    assert {each.id for each in store.alerts.members(bundle.id)} == {one.id, two.id}


def test_a_body_of_hundreds_is_one_bundle(store: Store) -> None:
    made = record(store, *(firing(f"f{n}") for n in range(250)))
    assert {each.what for each in made} == {"folded"}
    (bundle,) = store.alerts.take_due()
    assert {each.told_by for each in made} == {bundle}
    assert store.alerts.get(bundle).members == 250


def test_two_incidents_of_a_rule_in_one_body_are_one_after_the_other(store: Store) -> None:
    later = firing("f1", started_at=START + timedelta(minutes=1))
    one, _, three = record(store, firing("f1"), firing("f2"), later)
    assert one.state is AlertState.RESOLVED
    assert three.what == "folded"
    (bundle,) = store.alerts.take_due()
    assert (store.alerts.get(bundle).members, store.alerts.get(bundle).firing_members) == (3, 2)


def test_two_bundles_of_one_moment_are_two(store: Store) -> None:
    rows = [firing("f1"), firing("f2")]
    one, _ = record(store, *rows)
    assert one.told_by is not None
    found = store.alerts.get(one.told_by)
    change = AlertChange(1, 0, state=AlertState.UNREACHED, reason=AlertReason.NO_CHAIN)
    assert store.alerts.advance(found.id, found.version, change)
    again, _ = record(store, *rows)
    assert again.what == "folded"
    assert again.told_by != found.id
    assert store.alerts.get(found.id).state is AlertState.RESOLVED


def test_a_bundle_ends_with_its_last_member(store: Store) -> None:
    one, _ = record(store, firing("f1"), firing("f2"))
    assert one.told_by is not None
    record(store, resolved("f1"))
    bundle = store.alerts.get(one.told_by)
    assert (bundle.state, bundle.firing_members) == (AlertState.RINGING, 1)
    record(store, resolved("f2"))
    bundle = store.alerts.get(one.told_by)
    assert (bundle.state, bundle.firing_members) == (AlertState.RESOLVED, 0)


def test_who_has_a_bundle_has_its_members(store: Store) -> None:
    one, two, three = record(store, firing("f1"), firing("f2"), firing("f3"))
    assert one.told_by is not None
    record(store, resolved("f3"))
    store.alerts.acknowledge(one.id, by="bob", how=Acknowledgement.CONSOLE)
    assert store.alerts.get(one.told_by).state is AlertState.RINGING
    acted = store.alerts.acknowledge(one.told_by, by="ann", how=Acknowledgement.DIAL_IN)
    assert (acted.done, acted.alert.state) == (True, AlertState.ACKNOWLEDGED)
    has = [store.alerts.get(each.id).acknowledged_by for each in (one, two, three)]
    assert has == ["bob", "ann", None]


def test_a_bundle_all_of_whose_members_somebody_has_rings_nobody(store: Store) -> None:
    one, two = record(store, firing("f1"), firing("f2"))
    assert one.told_by is not None
    for each in (one, two):
        store.alerts.acknowledge(each.id, by="ann", how=Acknowledgement.CLI)
    assert store.alerts.get(one.told_by).state is AlertState.ACKNOWLEDGED


def test_a_storm_is_told_of_by_one_call(store: Store) -> None:
    rules = {"storm": {"more_than": 3, "within": 60}}
    made = [record(store, firing(f"f{n}"), **rules)[0] for n in range(50)]
    assert [each.what for each in made[:3]] == ["new"] * 3
    assert {each.what for each in made[3:]} == {"folded"}
    (storm,) = {each.told_by for each in made[3:]}
    assert storm is not None
    assert store.alerts.get(storm).members == 47
    assert len(store.alerts.take_due()) == 4


def test_after_a_storm_alerts_ring_by_themselves(store: Store, clock: Clock) -> None:
    rules = {"storm": {"more_than": 1, "within": 60}}
    record(store, firing("f1"), **rules)
    (second,) = record(store, firing("f2"), **rules)
    assert second.what == "folded"
    clock.forward(61)
    (third,) = record(store, firing("f3"), **rules)
    assert third.what == "new"


def test_a_bundle_whose_alerts_ring_again_is_not_told_of_as_over(
    store: Store, clock: Clock
) -> None:
    how = {"tell_resolved": True}
    first, _ = record(store, firing("f1"), firing("f2"), **how)
    job = call(store, first.told_by or "")
    made = claim(store, job)
    store.calls.settle(job, made.attempt, placed())
    store.calls.settle(
        job, made.attempt, after_report(ended("NOT ANSWERED"), store.jobs.get(job), POLICY)
    )
    store.alerts.acknowledge(first.told_by or "", by="ann", how=Acknowledgement.CLI)
    clock.forward(13 * HOUR)
    record(store, firing("f1"), firing("f2"), **how)
    assert store.alerts.get(first.told_by or "").state is AlertState.RESOLVED
    assert not store.alerts.get(first.told_by or "").telling
