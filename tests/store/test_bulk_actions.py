"""Bulk actions: what they do to jobs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dispatcher.model.bulk_action import BulkActionKind, LeftOut, new_id
from dispatcher.model.filters import Filter
from dispatcher.model.states import Priority, State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.bulk_preview import EXAMPLES
from dispatcher.store.holds import PauseScope
from dispatcher.store.values import Refused
from support.bulk_jobs import (
    FAILED,
    begun,
    cancelled,
    completed,
    left_out,
    run,
    states,
    uncertain,
    unknown,
)
from support.claims import take
from support.clock import Clock
from support.store_jobs import assert_sound, claim, enqueue, failed, in_progress, placed, snapshot


def test_what_happens_is_what_the_preview_said(store: Store, clock: Clock) -> None:
    bad = [failed(store, tags=["t"]) for _ in range(120)]
    completed(store, tags=["t"])
    cancelled(store, tags=["t"])
    clock.forward(1)
    seen = begun(store, BulkActionKind.RETRY, Filter(tag="t"), "the line is mended")
    assert store.bulk.drive(seen.id, sleep=lambda _: None)
    report = store.bulk.get(seen.id)
    assert (report.state, report.done, report.remaining, report.skipped) == ("done", 120, 0, ())
    assert (report.selected, report.matched) == (len(seen.ids), 122)
    assert report.excluded == seen.excluded
    assert states(store, bad) == {State.QUEUED}
    last = store.jobs.get(bad[0]).timeline[-1]
    assert (last.to, last.actor, last.why) == ("queued", "cli:kim", "the line is mended")
    assert_sound(snapshot(store))


def test_what_was_reached_meanwhile_is_skipped_and_counted(store: Store) -> None:
    bad = [unknown(store) for _ in range(3)]
    seen = begun(store, BulkActionKind.RETRY, FAILED)
    store.jobs.mark_reached(bad[1], actor="cli:sam")
    store.bulk.drive(seen.id)
    report = store.bulk.get(seen.id)
    assert report.done == 2
    assert report.skipped == (LeftOut("reached", 1, (bad[1],)),)
    assert store.jobs.get(bad[1]).state is State.COMPLETED


def test_the_first_ids_of_what_was_refused_are_told_and_all_are_counted(store: Store) -> None:
    bad = [failed(store) for _ in range(EXAMPLES + 5)]
    seen = begun(store, BulkActionKind.RETRY, FAILED)
    for id_ in bad:
        store.jobs.retry(id_, actor="cli:sam")
    store.bulk.drive(seen.id)
    (refused,) = store.bulk.get(seen.id).skipped
    assert (refused.reason, refused.count) == ("not_ended", EXAMPLES + 5)
    assert len(refused.ids) == EXAMPLES


def test_the_jobs_of_a_retrigger_bear_its_tag_instead_of_an_earlier_one(store: Store) -> None:
    id_ = failed(store, tags=["campaign:x", "b"])
    first = run(store, BulkActionKind.RETRY, FAILED)
    assert store.jobs.get(id_).tags == ("campaign:x", "b", first.tag)
    again = claim(store, id_)
    store.calls.settle(id_, again.attempt, Decision(State.FAILED, "no_answer", "rang", "no_answer"))
    second = run(store, BulkActionKind.RETRY, FAILED)
    assert store.jobs.get(id_).tags == ("campaign:x", "b", second.tag)
    assert [job.id for job in store.search.find(Filter(tag=second.tag))] == [id_]
    assert list(store.search.find(Filter(tag=first.tag))) == []
    assert_sound(snapshot(store))


def test_a_long_row_of_tags_is_kept_whole(store: Store) -> None:
    tags = [f"tag-{n:02}-{'x' * 30}" for n in range(20)]
    id_ = failed(store, tags=tags)
    report = run(store, BulkActionKind.RETRY, [id_])
    assert store.jobs.get(id_).tags == (*tags, report.tag)


def test_the_key_of_a_job_that_was_retried_by_an_action_still_finds_it(store: Store) -> None:
    id_ = failed(store, key="alert-1", tags=["t"])
    run(store, BulkActionKind.RETRY, FAILED)
    assert enqueue(store, key="alert-1", tags=["t"]) == id_


def test_one_job_that_is_retried_alone_keeps_its_tags(store: Store) -> None:
    id_ = failed(store, tags=["t"])
    store.jobs.retry(id_, actor="cli")
    assert store.jobs.get(id_).tags == ("t",)


def test_the_jobs_of_an_action_are_paused_by_its_tag(store: Store) -> None:
    mine, other = failed(store), enqueue(store)
    report = run(store, BulkActionKind.RETRY, [mine])
    assert report.tag is not None
    store.holds.pause(PauseScope(tag=report.tag), actor="cli:kim")
    assert take(store) == [other]
    assert store.jobs.get(mine).state is State.HELD
    assert run(store, BulkActionKind.CANCEL, Filter(tag=report.tag)).done == 1


def test_a_new_deadline_holds_for_all_and_the_first_ones_length_otherwise(
    store: Store, clock: Clock
) -> None:
    own = failed(store, expires="60s")
    clock.forward(10)
    run(store, BulkActionKind.RETRY, [own])
    now = store.jobs.get(own).due_at
    assert store.jobs.get(own).expires_at == now + timedelta(seconds=60)
    store.jobs.cancel(own, actor="cli")
    run(store, BulkActionKind.RETRY, [own], expires=600.0)
    assert store.jobs.get(own).expires_at == now + timedelta(seconds=600)


def test_cancel_ends_what_is_not_dialled_and_leaves_the_rest(store: Store) -> None:
    waits = [enqueue(store, tags=["t"]), enqueue(store, tags=["t"], at="1h")]
    called, over = in_progress(store, tags=["t"]), failed(store, tags=["t"])
    seen = store.bulk.preview(BulkActionKind.CANCEL, Filter(tag="t"))
    assert left_out(seen) == {"calling": (1, {called}), "ended": (1, {over})}
    assert run(store, BulkActionKind.CANCEL, Filter(tag="t")).done == 2
    assert states(store, waits) == {State.CANCELLED}


def test_reached_ends_what_nobody_knows_and_leaves_the_rest(store: Store) -> None:
    both = [unknown(store), uncertain(store)]
    bad = failed(store)
    seen = store.bulk.preview(BulkActionKind.REACHED, Filter())
    assert left_out(seen) == {"known": (1, {bad})}
    assert run(store, BulkActionKind.REACHED, Filter()).done == 2
    assert {store.jobs.get(id_).reason for id_ in both} == {"marked_reached"}
    assert_sound(snapshot(store))


def test_prioritise_moves_what_waits_to_another_line(store: Store) -> None:
    made = [enqueue(store, tags=["t"]) for _ in range(3)]
    over = failed(store, tags=["t"])
    report = run(store, BulkActionKind.PRIORITISE, Filter(tag="t"), priority=Priority.URGENT)
    assert (report.done, report.tag, report.priority) == (3, None, Priority.URGENT)
    assert [each.facts["priority"] for each in store.audit.read()] == ["urgent", "urgent"]
    assert {store.jobs.get(id_).priority for id_ in made} == {Priority.URGENT}
    assert store.jobs.get(over).priority is Priority.NORMAL
    assert_sound(snapshot(store))


def test_an_uncertain_job_is_redialled_now_only_where_that_is_asked_for(store: Store) -> None:
    id_ = uncertain(store)
    with pytest.raises(Refused, match="a call may be under way"):
        store.jobs.retry(id_, actor="cli")
    store.jobs.retry(id_, actor="cli", note="she sits beside me, nothing rang", uncertain=True)
    job = store.jobs.get(id_)
    assert (job.state, job.spent) == (State.QUEUED, 0)
    assert job.attempts[0].result == "maybe_placed"
    assert job.attempts[0].ended_at == job.due_at
    assert_sound(snapshot(store))


def test_evidence_before_a_redial_that_a_person_wished_for_saves_the_second_call(
    store: Store,
) -> None:
    id_ = uncertain(store)
    assert run(store, BulkActionKind.RETRY, [id_], uncertain=True).done == 1
    store.calls.settle(id_, 1, placed("call-9"))
    assert store.jobs.get(id_).state is State.IN_PROGRESS
    assert_sound(snapshot(store))


def test_a_redial_that_was_dialled_counts_late_evidence_as_a_second_call(store: Store) -> None:
    id_ = uncertain(store)
    store.jobs.retry(id_, actor="cli", uncertain=True)
    assert claim(store, id_).attempt == 2
    store.calls.settle(id_, 1, placed("call-9"))
    assert store.statistics.counters()["second_calls"] == 1


def test_an_actions_id_looks_like_no_telephone_number_and_is_that_of_its_seed() -> None:
    made = {new_id() for _ in range(100)}
    assert len(made) == 100
    assert all(len(each) == 12 and each.isalpha() for each in made)
    assert new_id("a request") == new_id("a request") != new_id("another")
