"""A bulk action happens once, whatever happens to it meanwhile."""

from __future__ import annotations

import pytest

from dispatcher.model.bulk_action import BulkActionKind, UnknownAction
from dispatcher.model.states import State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.bulk import LEASE
from support.bulk_jobs import FAILED, begun, run, uncertain
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.store_jobs import assert_sound, claim, failed, in_progress, snapshot


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
