"""The calls of an alert's chain: jobs that are made, stopped and heard of with it."""

from __future__ import annotations

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.alert import (
    Acknowledgement,
    AlertReason,
    AlertState,
)
from dispatcher.model.alert_change import AlertChange, PlannedCall
from dispatcher.model.do_not_call import Wish
from dispatcher.model.states import Priority, State
from dispatcher.policy import after_report
from dispatcher.provider import InvalidRequest
from dispatcher.provider.errors import NotSent, ServerTrouble
from dispatcher.store import Store
from dispatcher.store.values import Refused
from support.claims import claim_one
from support.clock import Clock
from support.reports import ended
from support.store_alerts import (
    ANN,
    BOB,
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
    assert claim_one(store, enqueue(store, recipient=ANN), token="t", lease=30) is State.SCHEDULED


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


def test_a_call_that_comes_back_undone_is_not_dialled_for_what_somebody_has(store: Store) -> None:
    alert = ring(store)
    job = call(store, alert.id)
    made = claim(store, job)
    store.alerts.acknowledge(alert.id, by="ann", how=Acknowledgement.CLI)
    store.calls.settle(job, made.attempt, refused(NotSent("no route"), made.job))
    assert store.jobs.get(job).state is State.CANCELLED


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
