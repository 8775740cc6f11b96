"""A record that was damaged, by hand or by a bug, stops no other job."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from dispatcher.model.states import Reason, State
from dispatcher.statistics import statistics
from dispatcher.store import Store
from dispatcher.store.calls import Answer
from dispatcher.store.schema import Field
from support.claims import take, taken
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.reports_heard import dialing, said
from support.store_jobs import POLICY, at, claim, enqueue, placed
from workers.engine.apply_callbacks import ApplyReports
from workers.engine.ticks import Rescue

DAMAGES = {
    "it has ended, by its record": {Field.STATE: "completed"},
    "a number is none": {Field.CREATED: "yesterday"},
}


def damage(store: Store, id_: str, fields: dict[str, str]) -> None:
    redis_of(store).hset(key_of(store, "job", id_), mapping=fields)


@pytest.mark.parametrize("fields", DAMAGES.values(), ids=DAMAGES)
def test_one_at_the_head_of_a_line_stops_none_behind_it(
    store: Store, fields: dict[str, str]
) -> None:
    bad, *good = (enqueue(store) for _ in range(3))
    damage(store, bad, fields)
    assert sorted([*take(store), *take(store)]) == sorted(good)


@pytest.mark.parametrize("fields", DAMAGES.values(), ids=DAMAGES)
def test_one_that_is_due_stops_none_that_is_due_after_it(
    store: Store, clock: Clock, fields: dict[str, str]
) -> None:
    bad, good = (enqueue(store, at=at(clock() + ms)) for ms in (1000, 2000))
    damage(store, bad, fields)
    clock.forward(3)
    assert [*take(store), *take(store)] == [good]


@pytest.mark.parametrize("fields", DAMAGES.values(), ids=DAMAGES)
def test_one_among_answers_that_are_written_together_stops_no_other(
    store: Store, fields: dict[str, str]
) -> None:
    first, bad, last = (enqueue(store) for _ in range(3))
    for id_ in (first, bad, last):
        claim(store, id_)
    damage(store, bad, fields)
    store.calls.settle_many([Answer(id_, 1, placed(f"call-{id_}")) for id_ in (first, bad, last)])
    assert store.jobs.get(first).state is State.IN_PROGRESS
    assert store.jobs.get(last).state is State.IN_PROGRESS


@pytest.mark.parametrize("where", ["line", "due", "held", "taken before"])
def test_one_of_another_type_stops_no_other_and_is_told(
    store: Store, clock: Clock, where: str
) -> None:
    """As after a mistake by hand: what stands in its place is no record at all."""
    later = {"at": at(clock() + 1000)} if where == "due" else {}
    if where == "held":
        store.holds.start(Reason.PAUSED, "lunch")
    bad, good = (enqueue(store, **later) for _ in range(2))
    if where in {"held", "taken before"}:
        taken(store, token="first")
    redis_of(store).delete(key_of(store, "job", bad))
    redis_of(store).rpush(key_of(store, "job", bad), "no record")
    clock.forward(3)
    store.holds.end(Reason.PAUSED, "over")
    store.queue.pump()
    found = taken(store, token="first" if where == "taken before" else "second")
    assert [claim.job.id for claim in found.claims] == [good]
    assert bad in {e.facts["job"] for e in store.events.after() if e.kind == "job.damaged"}
    assert statistics(store)["damaged_jobs"] >= 1


def test_it_is_told_and_tried_again_once_it_is_mended(store: Store, clock: Clock) -> None:
    bad = enqueue(store)
    damage(store, bad, {Field.CREATED: "yesterday"})
    assert take(store) == []
    told = [event.facts for event in store.events.after() if event.kind == "job.damaged"]
    assert [facts["job"] for facts in told] == [bad]
    damage(store, bad, {Field.CREATED: str(round(clock()))})
    clock.forward(16)
    store.queue.pump()
    assert take(store) == [bad]


def test_one_whose_worker_died_stops_the_rescue_of_no_other(store: Store, clock: Clock) -> None:
    bad, good = (enqueue(store) for _ in range(2))
    for id_ in (bad, good):
        claim(store, id_)
    damage(store, bad, {Field.STATE: "completed"})
    clock.forward(60)
    store.calls.rescue(60)
    assert store.jobs.get(good).state is State.UNCERTAIN


def test_an_overdue_one_stops_none_that_is_overdue_after_it(store: Store, clock: Clock) -> None:
    bad, good = (enqueue(store, expires=timedelta(seconds=s)) for s in (60, 61))
    damage(store, bad, {Field.CREATED: "yesterday"})
    clock.forward(62)
    store.queue.pump()
    assert store.jobs.get(good).state is State.EXPIRED


def test_one_that_a_hold_kept_stops_the_release_of_no_other(store: Store) -> None:
    store.holds.start(Reason.PAUSED, "lunch")
    bad, good = (enqueue(store) for _ in range(2))
    assert take(store) == []
    damage(store, bad, {Field.STATE: "completed"})
    store.holds.end(Reason.PAUSED, "over")
    store.queue.pump()
    assert take(store) == [good]


def test_one_that_was_due_is_tried_again_once_it_is_mended(store: Store, clock: Clock) -> None:
    bad = enqueue(store, at=at(clock() + 1000))
    damage(store, bad, {Field.CREATED: "yesterday"})
    clock.forward(2)
    assert take(store) == []
    damage(store, bad, {Field.CREATED: str(round(clock()))})
    clock.forward(16)
    assert take(store) == [bad]


def test_a_report_of_one_stays_in_the_inbox_and_stops_no_other(
    store: Store, clock: Clock, apply: ApplyReports
) -> None:
    bad, good = (dialing(store) for _ in range(2))
    index = key_of(store, "by_call", hashlib.sha1(b"call-1").hexdigest()[:4])
    redis_of(store).set(index, "no hash")
    apply.inbox.receive([said(bad, "ANSWERED"), said(good, "ANSWERED", callid="call-2")], {})
    assert [turn.job_id for turn in apply()] == [good]
    redis_of(store).delete(index)
    clock.forward(3600)
    assert [turn.job_id for turn in apply()] == [bad]


def test_one_that_python_cannot_read_stops_none_that_is_claimed_with_it(store: Store) -> None:
    bad, good = (enqueue(store) for _ in range(2))
    damage(store, bad, {Field.ON_UNCERTAIN: "perhaps"})
    found = taken(store)
    assert ([claim.job.id for claim in found.claims], found.unreadable) == ([good], (bad,))


def test_one_that_cannot_be_read_stops_the_decision_of_no_other(store: Store, clock: Clock) -> None:
    bad, good = (dialing(store) for _ in range(2))
    damage(store, bad, {Field.ON_UNCERTAIN: "perhaps"})
    clock.forward(60)
    rescue = Rescue(store, POLICY)
    rescue()
    clock.forward(2 * POLICY.evidence_window)
    rescue()
    assert store.jobs.get(good).state is not State.UNCERTAIN


def test_a_report_of_one_that_cannot_be_read_stops_no_other(
    store: Store, apply: ApplyReports
) -> None:
    bad, good = (dialing(store) for _ in range(2))
    damage(store, bad, {Field.ON_UNCERTAIN: "perhaps"})
    apply.inbox.receive([said(bad, "ANSWERED"), said(good, "ANSWERED", callid="call-2")], {})
    assert [turn.job_id for turn in apply()] == [good]
