"""Alerts in the store: one incident is one alert, and who is called for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.alert import (
    Acknowledgement,
    AlertReason,
    AlertState,
    Severity,
    UnknownAlert,
)
from dispatcher.model.alert_change import AlertChange, PlannedCall
from dispatcher.model.do_not_call import Wish
from dispatcher.model.states import Priority, State
from dispatcher.policy import after_report
from dispatcher.provider import InvalidRequest
from dispatcher.provider.errors import NotSent, ServerTrouble
from dispatcher.store import Store
from dispatcher.store.alert_values import AlertRow
from dispatcher.store.values import Refused
from support.clock import Clock
from support.reports import ended
from support.store_alerts import (
    ANN,
    BOB,
    START,
    call,
    call_request,
    firing,
    record,
    resolved,
    ring,
    soon,
)
from support.store_jobs import POLICY, claim, enqueue, placed, refused

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


# -- bundles -------------------------------------------------------------------------------


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


# -- the chain -----------------------------------------------------------------------------


def test_a_step_writes_its_calls_as_jobs(store: Store) -> None:
    alert = ring(store)
    job = store.jobs.get(call(store, alert.id, ANN, BOB))
    assert (job.state, job.priority, job.alert) == (State.QUEUED, "urgent", alert.id)
    found = store.alerts.get(alert.id)
    assert [(each.number, each.contact, each.skipped) for each in found.calls] == [
        (1, "contact1", None),
        (2, "contact2", None),
    ]
    assert (found.round, found.step, found.last_call) == (1, 0, 2)
    assert [each.id for each in store.alerts.rings_for(BOB)] == [alert.id]


def test_of_alerts_that_have_ended_a_number_knows_the_one_that_called_last(
    store: Store, clock: Clock
) -> None:
    alerts = [ring(store, f"f{n}") for n in range(4)]
    for alert in alerts:
        call(store, alert.id, BOB)
        clock.forward(1)
    for over in (alerts[1], alerts[3]):
        store.alerts.cancel(over.id, by="cli:sam")
    wanted = [alerts[3].id, alerts[2].id, alerts[0].id]
    assert [each.id for each in store.alerts.rings_for(BOB)] == wanted


def test_a_decision_on_what_has_changed_since_is_not_written(store: Store) -> None:
    alert = ring(store)
    call(store, alert.id)
    planned = PlannedCall(1, "ann", skipped="twice")
    assert not store.alerts.advance(alert.id, alert.version, AlertChange(1, 0, calls=(planned,)))
    assert len(store.alerts.get(alert.id).calls) == 1


def test_the_end_of_a_call_makes_its_alert_due_at_once(store: Store, clock: Clock) -> None:
    alert = ring(store)
    job = call(store, alert.id)
    store.alerts.take_due()
    store.calls.settle(job, claim(store, job).attempt, placed())
    assert store.alerts.get(alert.id).rung_at is not None
    assert store.alerts.take_due() == []
    seen = store.alerts.get(alert.id)
    decision = after_report(ended("NOT ANSWERED"), store.jobs.get(job), POLICY)
    assert store.calls.settle(job, 1, decision) is State.FAILED
    assert store.alerts.take_due() == [alert.id]
    assert not store.alerts.advance(alert.id, seen.version, AlertChange(1, 0, turn=1))


def test_who_is_on_the_do_not_call_list_is_named_and_the_chain_goes_on(store: Store) -> None:
    store.do_not_call.add([Wish.of(ANN)], actor="cli")
    alert = ring(store)
    store.alerts.take_due()
    planned = PlannedCall(1, "ann", call_request(ANN))
    change = AlertChange(1, 0, calls=(planned,), next_at=soon(store, 50))
    assert store.alerts.advance(alert.id, alert.version, change)
    (skipped,) = store.alerts.get(alert.id).calls
    assert (skipped.job_id, skipped.skipped) == (None, "ann is on the do-not-call list")
    assert store.alerts.take_due() == [alert.id]  # nobody waits for a call that was not made


def test_a_language_that_the_provider_refused_keeps_nobody_from_being_called(store: Store) -> None:
    id_ = enqueue(store, lang="cy")
    claimed = claim(store, id_)
    unspoken = InvalidRequest("no", fields={"tts_lang": ["no valid choice"]}, language=True)
    store.calls.settle(id_, claimed.attempt, refused(unspoken, claimed.job))
    assert list(store.languages.refused()) == ["cy"]
    alert = ring(store)
    planned = PlannedCall(1, "ann", call_request(ANN, lang="cy"))
    assert store.alerts.advance(alert.id, alert.version, AlertChange(1, 0, calls=(planned,)))
    (made,) = store.alerts.get(alert.id).calls
    assert made.job_id is not None


def test_calls_of_alerts_are_neither_retried_nor_put_back(store: Store) -> None:
    alert = ring(store)
    job = call(store, alert.id)
    with pytest.raises(Refused, match="it is a call of an alert"):
        store.jobs.prioritise(job, Priority.BULK, actor="cli")
    store.jobs.cancel(job, actor="cli")
    with pytest.raises(Refused, match="it is a call of an alert"):
        store.jobs.retry(job, actor="cli")
    assert store.alerts.take_due() == [alert.id]


def test_who_is_in_a_chain_is_called_however_often(store: Store) -> None:
    store.limiter.publish(AccountConfig(rate=None, per_day=1, gap=3600))
    for n in range(3):
        job = call(store, ring(store, f"f{n}").id)
        made = claim(store, job)
        store.calls.settle(job, made.attempt, placed(f"call-{n}"))
        decision = after_report(ended("NOT ANSWERED"), store.jobs.get(job), POLICY)
        store.calls.settle(job, made.attempt, decision)
    assert store.queue.claim(enqueue(store, recipient=ANN), token="t", lease=30) is State.SCHEDULED


def test_an_acknowledgement_stops_calls_that_have_not_begun(store: Store) -> None:
    alert = ring(store)
    job = call(store, alert.id)
    acted = store.alerts.acknowledge(alert.id, by="ann", how=Acknowledgement.DIAL_IN, note="mine")
    assert (acted.done, acted.before) == (True, AlertState.RINGING)
    assert (acted.alert.acknowledged_by, acted.alert.acknowledged_how) == ("ann", "dial_in")
    assert store.jobs.get(job).state is State.CANCELLED
    assert store.alerts.take_due() == []
    again = store.alerts.acknowledge(alert.id, by="bob", how=Acknowledgement.CLI)
    assert (again.done, again.alert.acknowledged_by) == (False, "ann")
    (entry,) = store.audit.read()
    assert (entry.action, entry.actor) == ("alert.acknowledge", "ann")


def test_a_resolved_alert_calls_nobody_any_more(store: Store) -> None:
    alert = ring(store)
    waiting = call(store, alert.id)
    record(store, resolved())
    assert store.jobs.get(waiting).state is State.CANCELLED


def test_a_cancelled_alert_stays_so(store: Store) -> None:
    alert = ring(store)
    assert store.alerts.cancel(alert.id, by="ann").alert.state is AlertState.CANCELLED
    assert record(store, firing())[0].what == "repeat"
    assert store.alerts.get(alert.id).state is AlertState.CANCELLED


def test_a_chain_comes_to_its_end(store: Store) -> None:
    alert = ring(store)
    change = AlertChange(
        3, 0, state=AlertState.UNREACHED, reason=AlertReason.NOBODY_ANSWERED, lines=("the end",)
    )
    assert store.alerts.advance(alert.id, alert.version, change)
    found = store.alerts.get(alert.id)
    assert (found.state, found.reason) == (AlertState.UNREACHED, AlertReason.NOBODY_ANSWERED)
    assert found.ended_at is not None


# -- looking -------------------------------------------------------------------------------


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


def test_a_call_that_comes_back_undone_is_not_dialled_for_what_somebody_has(store: Store) -> None:
    alert = ring(store)
    job = call(store, alert.id)
    made = claim(store, job)
    store.alerts.acknowledge(alert.id, by="ann", how=Acknowledgement.CLI)
    store.calls.settle(job, made.attempt, refused(NotSent("no route"), made.job))
    assert store.jobs.get(job).state is State.CANCELLED


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


def test_who_is_told_that_it_is_over_is_called_though_the_first_try_failed(
    store: Store, clock: Clock
) -> None:
    (alert,) = record(store, firing(), tell_resolved=True)
    first = call(store, alert.id)
    made = claim(store, first)
    store.calls.settle(first, made.attempt, placed())
    clock.forward(1)
    record(store, resolved())
    job = call(store, alert.id, BOB)
    made = claim(store, job)
    store.calls.settle(job, made.attempt, refused(NotSent("no route"), made.job))
    assert store.jobs.get(job).state is State.SCHEDULED


def test_a_call_of_which_nobody_knows_is_not_made_again_for_an_alert(store: Store) -> None:
    job = call(store, ring(store).id)
    made = claim(store, job)
    store.calls.settle(job, made.attempt, refused(ServerTrouble("500"), made.job))
    assert store.jobs.get(job).state is State.UNCERTAIN
    with pytest.raises(Refused, match="it is a call of an alert"):
        store.jobs.retry(job, actor="cli", uncertain=True)


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


def test_nobody_is_told_any_more_that_what_rings_again_is_over(store: Store, clock: Clock) -> None:
    (made,) = record(store, firing(), tell_resolved=True)
    first = call(store, made.id)
    store.calls.settle(first, claim(store, first).attempt, placed())
    record(store, resolved())
    told = call(store, made.id, BOB)
    clock.forward(130)
    assert record(store, firing())[0].what == "again"
    assert store.jobs.get(told).state is State.CANCELLED
    assert store.alerts.take_due() == [made.id]


def test_what_was_for_nobody_rings_when_a_route_leads_to_somebody(store: Store) -> None:
    """A warning of Nagios is for nobody, and becomes critical: it is the same incident."""
    (first,) = store.alerts.record([AlertRow(firing(), called=False)], actor="nagios")
    assert first.state is AlertState.NOT_CALLED
    store.alerts.record([AlertRow(firing(), called=False)], actor="nagios")
    assert store.alerts.get(first.id).state is AlertState.NOT_CALLED
    (again,) = record(store, firing(severity=Severity.CRITICAL))
    assert (again.id, again.what, again.state) == (first.id, "again", AlertState.RINGING)
    assert store.alerts.take_due() == [first.id]
