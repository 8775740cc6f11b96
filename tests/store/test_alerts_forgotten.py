"""What is kept of alerts no longer: after its time, or because of a number that stands in it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.alert import Acknowledgement, AlertState, UnknownAlert
from dispatcher.policy import after_report
from dispatcher.store import Store
from support.clock import Clock
from support.reports import ended
from support.store_alerts import ANN, START, call, firing, record, resolved, ring
from support.store_jobs import POLICY, claim, placed, snapshot
from workers.engine.ticks import Purge

DAY = 86_400.0
LATER = START + timedelta(minutes=1)


def of_alerts(store: Store) -> dict[str, dict[str, str]]:
    return {name: what for name, what in snapshot(store).items() if name.startswith("alert")}


def no_answer(store: Store, job: str) -> None:
    made = claim(store, job)
    store.calls.settle(job, made.attempt, placed(f"call-{job}"))
    decision = after_report(ended("NOT ANSWERED"), store.jobs.get(job), POLICY)
    store.calls.settle(job, made.attempt, decision)


def test_what_is_over_goes_with_the_jobs_of_its_time_and_leaves_nothing(
    store: Store, clock: Clock
) -> None:
    purge = Purge(store, retention=DAY, audit_retention=DAY, campaign_retention=DAY)
    store.limiter.publish(AccountConfig(rate=None))
    alert = ring(store)
    no_answer(store, call(store, alert.id))
    record(store, firing("f2"), firing("f3"))
    store.alerts.acknowledge(alert.id, by="ann", how=Acknowledgement.CLI)
    record(store, resolved(), resolved("f2"), resolved("f3"))
    clock.forward(DAY - 1)
    assert purge() == {}
    clock.forward(2)
    assert purge() == {"purged": 1, "alerts": 4, "audit": 1}
    assert of_alerts(store) == {}


def test_what_rings_or_was_heard_of_lately_stays(store: Store, clock: Clock) -> None:
    rings, has, lost = ring(store, "f1"), ring(store, "f2"), ring(store, "f3")
    for alert in (has, lost):
        store.alerts.acknowledge(alert.id, by="ann", how=Acknowledgement.CLI)
    clock.forward(DAY)
    record(store, firing("f2"), repeat_after=timedelta(days=2))
    assert store.alerts.purge_older(store.now()) == 1
    assert {each.id for each in store.alerts.page().alerts} == {rings.id, has.id}
    with pytest.raises(UnknownAlert):
        store.alerts.get(lost.id)


def test_members_outlive_their_bundle_and_it_them(store: Store, clock: Clock) -> None:
    one, two = record(store, firing("f1"), firing("f2"))
    assert one.told_by is not None
    record(store, resolved("f1"))
    clock.forward(DAY)
    assert store.alerts.purge_older(store.now()) == 1
    bundle = store.alerts.get(one.told_by)
    assert (bundle.members, bundle.firing_members) == (1, 1)
    store.alerts.acknowledge(bundle.id, by="ann", how=Acknowledgement.CLI)
    clock.forward(DAY)
    record(store, firing("f2"), repeat_after=timedelta(days=9))
    assert store.alerts.purge_older(store.now()) == 1  # the bundle, of which nobody speaks
    assert store.alerts.get(two.id).told_by is None
    record(store, resolved("f2"))
    assert store.alerts.get(two.id).state is AlertState.RESOLVED


def test_nothing_of_a_number_is_left(store: Store) -> None:
    """Texts stay without it; whom it was called for cannot be found by it."""
    store.limiter.publish(AccountConfig(rate=None, webhooks=1))
    told = {"labels": {"phone": ANN}, "annotations": {"text": f"call {ANN}"}}
    alert = ring(store, f"phone {ANN}", summary=f"{ANN} is off", **told)
    no_answer(store, call(store, alert.id))
    store.alerts.acknowledge(alert.id, by="ann", how=Acknowledgement.CLI, note=f"I am at {ANN}")
    store.retention.forget_recipient(ANN, actor="cli", note="")
    digits = ANN.removeprefix("+")
    left = json.dumps(snapshot(store))
    assert digits not in left
    assert digits[::-1] not in left
    found = store.alerts.get(alert.id)
    assert found.summary.endswith(" is off")
    assert found.labels.keys() == {"phone"}
    assert store.alerts.rings_for(ANN) == []
    (again,) = record(store, firing(f"phone {ANN}"))
    assert again.id == alert.id  # found by what cannot be read
