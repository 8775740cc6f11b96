"""Bulk actions: what a preview says, that it happens once, and what is reported."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from dispatcher.model.bulk_action import (
    BulkAction,
    BulkActionKind,
    LeftOut,
    Preview,
    UnknownAction,
    new_id,
)
from dispatcher.model.filters import Filter
from dispatcher.model.states import Priority, State
from dispatcher.policy import Decision, Policy, after_window
from dispatcher.store import Store
from dispatcher.store.bulk import LEASE
from dispatcher.store.bulk_preview import EXAMPLES
from dispatcher.store.holds import PauseScope
from dispatcher.store.values import Refused
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.store_jobs import (
    RECIPIENT,
    assert_sound,
    claim,
    enqueue,
    failed,
    in_progress,
    placed,
    snapshot,
)

FAILED = Filter(states=(State.FAILED,))
LOST = Decision(State.UNCERTAIN, "maybe_placed", "the answer was lost", delay=300)


def completed(store: Store, **fields: Any) -> str:
    id_ = enqueue(store, **fields)
    answered = Decision(State.COMPLETED, "answered", "it was answered")
    store.calls.settle(id_, claim(store, id_).attempt, answered)
    return id_


def uncertain(store: Store, **fields: Any) -> str:
    id_ = enqueue(store, **fields)
    store.calls.settle(id_, claim(store, id_).attempt, LOST)
    return id_


def unknown(store: Store, **fields: Any) -> str:
    """Return a job that failed with nobody knowing whether somebody was called."""
    id_ = uncertain(store, on_uncertain="hold", **fields)
    job = store.jobs.get(id_)
    store.calls.settle(id_, len(job.attempts), after_window(job, Policy()))
    assert store.jobs.get(id_).reason == "outcome_unknown"
    return id_


def cancelled(store: Store, **fields: Any) -> str:
    id_ = enqueue(store, **fields)
    store.jobs.cancel(id_, actor="cli")
    return id_


def states(store: Store, ids: list[str]) -> set[State]:
    return {store.jobs.get(id_).state for id_ in ids}


def left_out(found: Preview | BulkAction) -> dict[str, tuple[int, set[str]]]:
    parts = found.excluded if isinstance(found, Preview) else found.skipped
    return {each.reason: (each.count, set(each.ids)) for each in parts}


def begun(store: Store, act: BulkActionKind, meant: Any, why: str = "", **how: Any) -> Preview:
    made = store.bulk.preview(act, meant, **how)
    store.bulk.create(made)
    assert store.bulk.begin(made.id, actor="cli:kim", note=why)
    return made


def run(store: Store, act: BulkActionKind, meant: Any, why: str = "", **how: Any) -> BulkAction:
    made = begun(store, act, meant, why, **how)
    assert store.bulk.drive(made.id, sleep=lambda _: None)
    return store.bulk.get(made.id)


# -- what a preview says -------------------------------------------------------------------


def test_a_preview_counts_what_is_left_out_and_why_and_changes_nothing(
    store: Store, clock: Clock
) -> None:
    bad = [failed(store, tags=["t"]) for _ in range(3)]
    nobody_knows = unknown(store, tags=["t"])
    apart = {
        "reached": completed(store, tags=["t"]),
        "cancelled": cancelled(store, tags=["t"]),
        "overdue": failed(store, tags=["t"], expires="60s"),
        "uncertain": uncertain(store, tags=["t"]),
    }
    waiting = {enqueue(store, tags=["t"]), in_progress(store, tags=["t"])}
    failed(store, tags=["other"])
    clock.forward(100)
    before = snapshot(store)
    seen = store.bulk.preview(BulkActionKind.RETRY, Filter(tag="t"))
    assert snapshot(store) == before
    assert set(seen.ids) == {*bad, nobody_knows}
    assert (seen.matched, seen.may_have_been_called) == (10, 1)
    assert left_out(seen) == {
        **{reason: (1, {id_}) for reason, id_ in apart.items()},
        "not_ended": (2, waiting),
    }


def test_what_it_costs_is_what_such_calls_were_learned_to_cost(store: Store) -> None:
    failed(store)
    failed(store, recipient="+14155550123")
    assert store.bulk.preview(BulkActionKind.RETRY, FAILED).credits == Decimal(40)
    learned = {"tts:US": "4 70000 2 140000.0 0", "tts:JP-mobile": "3 200000 3 200000.0 0"}
    redis_of(store).hset(key_of(store, "costs"), mapping=learned)
    seen = store.bulk.preview(BulkActionKind.RETRY, FAILED)
    assert (seen.credits, seen.credits_if_answered) == (Decimal(27), Decimal(34))
    assert store.bulk.preview(BulkActionKind.REACHED, FAILED).credits == 0


def test_credits_are_told_and_written_down_in_hundredths(store: Store) -> None:
    failed(store)
    learned = {"tts:JP-mobile": "3 59999.9 3 59999.9 0"}
    redis_of(store).hset(key_of(store, "costs"), mapping=learned)
    begun(store, BulkActionKind.RETRY, FAILED)
    (entry,) = store.audit.read()
    assert entry.facts["credits"] == 6


def test_the_deadline_that_passed_leaves_out_unless_a_new_one_or_a_name_is_given(
    store: Store, clock: Clock
) -> None:
    late = failed(store, expires="60s", tags=["t"])
    expired = enqueue(store, expires="60s", tags=["t"])
    clock.forward(61)
    store.queue.pump()
    assert store.jobs.get(expired).state is State.EXPIRED
    tagged = Filter(tag="t")
    assert store.bulk.preview(BulkActionKind.RETRY, tagged).ids == ()
    for meant, how in (
        (tagged, {"expires": 600.0}),
        (Filter(states=(State.EXPIRED, State.FAILED)), {}),
        ([late, expired], {}),
    ):
        assert set(store.bulk.preview(BulkActionKind.RETRY, meant, **how).ids) == {late, expired}


def test_cancelled_jobs_are_retried_only_where_they_are_named(store: Store) -> None:
    id_ = cancelled(store)
    assert store.bulk.preview(BulkActionKind.RETRY, Filter()).ids == ()
    assert store.bulk.preview(BulkActionKind.RETRY, Filter(states=(State.CANCELLED,))).ids == (id_,)
    assert store.bulk.preview(BulkActionKind.RETRY, [id_]).ids == (id_,)


def test_each_id_that_is_listed_counts_once_in_its_order(store: Store) -> None:
    one, two = failed(store), failed(store)
    seen = store.bulk.preview(BulkActionKind.RETRY, [two, one, two, "nosuchjob"])
    assert seen.ids == (two, one)
    assert left_out(seen) == {"gone": (1, {"nosuchjob"})}


def test_a_filter_has_the_oldest_first(store: Store, clock: Clock) -> None:
    made = []
    for _ in range(3):
        made.append(failed(store))
        clock.forward(1)
    assert store.bulk.preview(BulkActionKind.RETRY, FAILED).ids == tuple(made)


def test_a_number_that_is_given_for_an_id_is_masked(store: Store) -> None:
    assert store.bulk.preview(BulkActionKind.RETRY, [RECIPIENT]).selection == "job:+8180****4567"
    assert "4567" in str(Filter(recipient=RECIPIENT))
    assert RECIPIENT not in str(Filter(recipient=RECIPIENT))


def test_a_deadline_that_cannot_be_is_refused(store: Store) -> None:
    for span in (0, -5, 367 * 86400):
        with pytest.raises(Refused, match="not between now and 366 days ahead"):
            store.bulk.preview(BulkActionKind.RETRY, FAILED, expires=span)


# -- what happens --------------------------------------------------------------------------


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
    assert [id_ for id_, _ in store.queue.feed()] == [other]
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


# -- uncertain ones ------------------------------------------------------------------------


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


# -- once, whatever happens ----------------------------------------------------------------


def test_a_storm_of_the_same_click_begins_an_action_once(store: Store) -> None:
    made = [failed(store) for _ in range(60)]
    seen = store.bulk.preview(BulkActionKind.RETRY, FAILED)
    for _ in range(3):
        store.bulk.create(seen)
    answers = [store.bulk.begin(seen.id, actor="cli:kim") for _ in range(5)]
    assert answers == [True, False, False, False, False]
    store.bulk.advance(seen.id)
    store.bulk.create(seen)  # again while it runs
    assert store.bulk.advance(seen.id) == ("done", 0)
    assert store.bulk.get(seen.id).done == 60
    assert store.bulk.begin(seen.id, actor="cli:kim") is False
    assert [entry.action for entry in store.audit.read()] == ["retry", "retry.done"]
    assert all(len(store.jobs.get(id_).timeline) == 4 for id_ in made)


def test_what_failed_again_quickly_is_not_reopened_by_the_same_action(store: Store) -> None:
    made = [failed(store) for _ in range(60)]
    seen = begun(store, BulkActionKind.RETRY, FAILED)
    store.bulk.advance(seen.id, 1)
    id_ = seen.ids[0]
    again = claim(store, id_)
    store.calls.settle(id_, again.attempt, Decision(State.FAILED, "no_answer", "rang", "no_answer"))
    store.bulk.drive(seen.id)
    assert store.jobs.get(id_).state is State.FAILED
    assert store.bulk.get(seen.id).done == len(made)


def test_what_was_never_proposed_or_too_long_ago_cannot_be_begun(
    store: Store, clock: Clock
) -> None:
    seen = store.bulk.preview(BulkActionKind.RETRY, FAILED)
    for ask in (store.bulk.advance, store.bulk.get):
        with pytest.raises(UnknownAction, match="there is no act"):
            ask(seen.id)
    with pytest.raises(UnknownAction):
        store.bulk.begin(seen.id, actor="cli")
    with pytest.raises(UnknownAction):
        store.bulk.stop(seen.id, actor="cli")


@pytest.mark.parametrize("part", [":ids", "s:open", "", "\n", "x" * 500, "é"])
def test_what_names_another_key_is_no_action(store: Store, part: str) -> None:
    [failed(store) for _ in range(60)]
    name = begun(store, BulkActionKind.RETRY, FAILED).id + part if part else ""
    with pytest.raises(UnknownAction):
        store.bulk.get(name)
    with pytest.raises(UnknownAction):
        store.bulk.begin(name, actor="cli")
    with pytest.raises(UnknownAction):
        store.bulk.stop(name, actor="cli")
    with pytest.raises(UnknownAction):
        store.bulk.advance(name)


def test_what_is_proposed_goes_by_itself_and_what_was_begun_stays(store: Store) -> None:
    failed(store)
    seen = store.bulk.preview(BulkActionKind.RETRY, FAILED)
    store.bulk.create(seen)
    keys = [key_of(store, "bulk_action", seen.id), key_of(store, "bulk_action_ids", seen.id, "ids")]
    assert all(3590_000 < redis_of(store).pttl(key) <= 3600_000 for key in keys)
    store.bulk.begin(seen.id, actor="cli")
    assert [redis_of(store).pttl(key) for key in keys] == [-1, -1]
    store.bulk.drive(seen.id)
    assert 29 * 86400_000 < redis_of(store).pttl(keys[0]) <= 30 * 86400_000
    assert not redis_of(store).exists(keys[1])


def test_an_action_on_nothing_is_done_at_once(store: Store) -> None:
    report = run(store, BulkActionKind.RETRY, FAILED)
    assert (report.state, report.selected, report.done) == ("done", 0, 0)
    assert list(store.audit.read()) == []


def test_a_stopped_action_leaves_the_rest_as_it_is(store: Store) -> None:
    made = [failed(store) for _ in range(60)]
    seen = begun(store, BulkActionKind.RETRY, FAILED)
    assert store.bulk.advance(seen.id, 20) == ("running", 40)
    assert store.bulk.stop(seen.id, actor="cli:sam", note="wrong list") is True
    assert store.bulk.stop(seen.id, actor="cli:sam") is False
    assert store.bulk.advance(seen.id) == ("stopped", 0)
    report = store.bulk.get(seen.id)
    assert (report.state, report.done, report.remaining) == ("stopped", 20, 40)
    assert sum(store.jobs.get(id_).state is State.QUEUED for id_ in made) == 20
    last = list(store.audit.read())[-1]
    assert (last.action, last.actor, last.note) == ("retry.stopped", "cli:sam", "wrong list")
    assert (last.facts["done"], last.facts["remaining"]) == (20, 40)


def test_an_action_that_nobody_drives_is_taken_up_after_its_lease(
    store: Store, clock: Clock
) -> None:
    [failed(store) for _ in range(60)]
    assert store.bulk.take() == []
    seen = begun(store, BulkActionKind.RETRY, FAILED)
    assert store.bulk.take() == []
    clock.forward(LEASE + 1)
    assert store.bulk.take() == [seen.id]
    assert store.bulk.take() == []
    clock.forward(LEASE + 1)
    store.bulk.advance(seen.id, 1)
    assert store.bulk.take() == []
    store.bulk.drive(seen.id)
    clock.forward(LEASE + 1)
    assert store.bulk.take() == []


def test_recent_actions_are_listed_the_latest_first(store: Store, clock: Clock) -> None:
    made = []
    for _ in range(3):
        failed(store)
        made.append(run(store, BulkActionKind.RETRY, FAILED, "again"))
        clock.forward(1)
    assert store.bulk.recent() == made[::-1]
    assert store.bulk.recent(1) == made[2:]
    assert {each.note for each in made} == {"again"}


def test_a_driver_lets_others_have_as_much_of_redis_time(store: Store) -> None:
    [failed(store) for _ in range(120)]
    seen = begun(store, BulkActionKind.RETRY, FAILED)
    slept: list[float] = []
    left: list[int] = []
    assert store.bulk.drive(seen.id, tell=left.append, sleep=slept.append)
    assert left == [70, 20, 0]
    assert len(slept) == 2
    assert min(slept) > 0


def test_a_driver_stops_when_its_time_is_up(store: Store) -> None:
    [failed(store) for _ in range(120)]
    seen = begun(store, BulkActionKind.RETRY, FAILED)
    assert store.bulk.drive(seen.id, within=0) is False
    assert store.bulk.get(seen.id).remaining == 70


def test_a_job_whose_first_tags_change_stands_in_one_line(store: Store) -> None:
    """A job that was exported and imported again brings the tag of an act along."""
    id_ = failed(store, tags=["retry:abcdefghijkl", "x" * 45, "campaign:spring"])
    begun = store.bulk.create(store.bulk.preview(BulkActionKind.RETRY, [id_]))
    store.bulk.begin(begun, actor="cli")
    assert store.bulk.drive(begun)
    assert_sound(snapshot(store))
    store.calls.settle(
        id_, claim(store, id_).attempt, Decision(State.FAILED, "no_answer", "x", "no_answer")
    )
    assert_sound(snapshot(store))
    assert not snapshot(store).get("lines:normal")


def test_what_comes_of_a_call_that_a_person_gave_up_ends_the_redial_only_if_it_was_answered(
    store: Store,
) -> None:
    unanswered, answered = uncertain(store), uncertain(store, recipient="+818011234568")
    for id_ in (unanswered, answered):
        store.jobs.retry(id_, actor="cli", uncertain=True)
    no_answer = Decision(State.FAILED, "no_answer", "NO ANSWER", "no_answer")
    store.calls.settle(unanswered, 1, no_answer)
    store.calls.settle(answered, 1, Decision(State.COMPLETED, "answered", "ANSWERED"))
    assert store.jobs.get(unanswered).state is State.QUEUED
    assert store.jobs.get(answered).state is State.COMPLETED
    assert_sound(snapshot(store))


def test_a_retried_job_is_not_looked_at_for_what_its_last_call_cost(
    store: Store, clock: Clock
) -> None:
    id_ = in_progress(store)
    end = Decision(State.FAILED, "no_answer", "x", "no_answer", cost_check_after=60)
    store.calls.settle(id_, 1, end)
    assert "due:cost" in snapshot(store)
    store.jobs.retry(id_, actor="cli")
    clock.forward(120)
    assert store.calls.take_due("cost") == []
    assert "cost_check" not in snapshot(store)[f"jobs:{id_}"]


def test_an_action_that_is_over_keeps_no_list(store: Store) -> None:
    [failed(store) for _ in range(60)]
    seen = begun(store, BulkActionKind.RETRY, FAILED)
    assert f"bulk_action:{seen.id}:ids" in snapshot(store)
    store.bulk.stop(seen.id, actor="cli:sam")
    assert f"bulk_action:{seen.id}:ids" not in snapshot(store)
