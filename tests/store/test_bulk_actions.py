"""Acts on many jobs: what a preview says, that it happens once, and what is reported."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from dispatcher.model.states import Priority, State
from dispatcher.policy import Decision, Policy, after_window
from dispatcher.store import Refused, Store, audit
from dispatcher.store import bulk as acts
from dispatcher.store.bulk import Act, LeftOut, Preview, Progress, UnknownAction
from dispatcher.store.pauses import Scope, pause
from dispatcher.store.previews import EXAMPLES
from dispatcher.store.search import Filter, find
from support.clock import Clock
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
    store.settle(id_, claim(store, id_).attempt, answered)
    return id_


def uncertain(store: Store, **fields: Any) -> str:
    id_ = enqueue(store, **fields)
    store.settle(id_, claim(store, id_).attempt, LOST)
    return id_


def unknown(store: Store, **fields: Any) -> str:
    """Return a job that failed with nobody knowing whether somebody was called."""
    id_ = uncertain(store, on_uncertain="hold", **fields)
    job = store.get(id_)
    store.settle(id_, len(job.attempts), after_window(job, Policy()))
    assert store.get(id_).reason == "outcome_unknown"
    return id_


def cancelled(store: Store, **fields: Any) -> str:
    id_ = enqueue(store, **fields)
    store.cancel(id_, actor="cli")
    return id_


def states(store: Store, ids: list[str]) -> set[State]:
    return {store.get(id_).state for id_ in ids}


def left_out(found: Preview | Progress) -> dict[str, tuple[int, set[str]]]:
    parts = found.left_out if isinstance(found, Preview) else found.refused
    return {each.reason: (each.count, set(each.ids)) for each in parts}


def begun(store: Store, act: Act, meant: Any, why: str = "", **how: Any) -> Preview:
    made = acts.preview(store, act, meant, **how)
    acts.propose(store, made)
    assert acts.begin(store, made.id, actor="cli:kim", why=why)
    return made


def run(store: Store, act: Act, meant: Any, why: str = "", **how: Any) -> Progress:
    made = begun(store, act, meant, why, **how)
    assert acts.drive(store, made.id, sleep=lambda _: None)
    return acts.progress(store, made.id)


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
    seen = acts.preview(store, Act.RETRY, Filter(tag="t"))
    assert snapshot(store) == before
    assert set(seen.ids) == {*bad, nobody_knows}
    assert (seen.matched, seen.unknown) == (10, 1)
    assert left_out(seen) == {
        **{reason: (1, {id_}) for reason, id_ in apart.items()},
        "not_ended": (2, waiting),
    }


def test_what_it_costs_is_what_such_calls_were_learned_to_cost(store: Store) -> None:
    failed(store)
    failed(store, recipient="+14155550123")
    assert acts.preview(store, Act.RETRY, FAILED).credits == Decimal(40)
    learned = {"tts:US": "4 70000 2 140000.0 0", "tts:JP": "3 200000 3 200000.0 0"}
    store.redis.hset(store.key("costs"), mapping=learned)
    seen = acts.preview(store, Act.RETRY, FAILED)
    assert (seen.credits, seen.credits_if_answered) == (Decimal(27), Decimal(34))
    assert acts.preview(store, Act.REACHED, FAILED).credits == 0


def test_the_deadline_that_passed_leaves_out_unless_a_new_one_or_a_name_is_given(
    store: Store, clock: Clock
) -> None:
    late = failed(store, expires="60s", tags=["t"])
    expired = enqueue(store, expires="60s", tags=["t"])
    clock.forward(61)
    store.pump()
    assert store.get(expired).state is State.EXPIRED
    tagged = Filter(tag="t")
    assert acts.preview(store, Act.RETRY, tagged).ids == ()
    for meant, how in (
        (tagged, {"expires": 600.0}),
        (Filter(states=(State.EXPIRED, State.FAILED)), {}),
        ([late, expired], {}),
    ):
        assert set(acts.preview(store, Act.RETRY, meant, **how).ids) == {late, expired}


def test_cancelled_jobs_are_retried_only_where_they_are_named(store: Store) -> None:
    id_ = cancelled(store)
    assert acts.preview(store, Act.RETRY, Filter()).ids == ()
    assert acts.preview(store, Act.RETRY, Filter(states=(State.CANCELLED,))).ids == (id_,)
    assert acts.preview(store, Act.RETRY, [id_]).ids == (id_,)


def test_each_id_that_is_listed_counts_once_in_its_order(store: Store) -> None:
    one, two = failed(store), failed(store)
    seen = acts.preview(store, Act.RETRY, [two, one, two, "nosuchjob"])
    assert seen.ids == (two, one)
    assert left_out(seen) == {"gone": (1, {"nosuchjob"})}


def test_a_filter_has_the_oldest_first(store: Store, clock: Clock) -> None:
    made = []
    for _ in range(3):
        made.append(failed(store))
        clock.forward(1)
    assert acts.preview(store, Act.RETRY, FAILED).ids == tuple(made)


def test_a_number_that_is_given_for_an_id_is_masked(store: Store) -> None:
    assert acts.preview(store, Act.RETRY, [RECIPIENT]).meant == "job:+8180****4567"
    assert "4567" in str(Filter(recipient=RECIPIENT))
    assert RECIPIENT not in str(Filter(recipient=RECIPIENT))


def test_a_deadline_that_cannot_be_is_refused(store: Store) -> None:
    for span in (0, -5, 367 * 86400):
        with pytest.raises(Refused, match="not within 366 days"):
            acts.preview(store, Act.RETRY, FAILED, expires=span)


# -- what happens --------------------------------------------------------------------------


def test_what_happens_is_what_the_preview_said(store: Store, clock: Clock) -> None:
    bad = [failed(store, tags=["t"]) for _ in range(120)]
    completed(store, tags=["t"])
    cancelled(store, tags=["t"])
    clock.forward(1)
    seen = begun(store, Act.RETRY, Filter(tag="t"), "the line is mended")
    assert acts.drive(store, seen.id, sleep=lambda _: None)
    report = acts.progress(store, seen.id)
    assert (report.state, report.did, report.left, report.refused) == ("done", 120, 0, ())
    assert (report.chosen, report.matched) == (len(seen.ids), 122)
    assert report.left_out == seen.left_out
    assert states(store, bad) == {State.QUEUED}
    last = store.get(bad[0]).timeline[-1]
    assert (last.to, last.actor, last.why) == ("queued", "cli:kim", "the line is mended")
    assert_sound(snapshot(store))


def test_what_was_reached_meanwhile_is_skipped_and_counted(store: Store) -> None:
    bad = [unknown(store) for _ in range(3)]
    seen = begun(store, Act.RETRY, FAILED)
    store.mark_reached(bad[1], actor="cli:sam")
    acts.drive(store, seen.id)
    report = acts.progress(store, seen.id)
    assert report.did == 2
    assert report.refused == (LeftOut("reached", 1, (bad[1],)),)
    assert store.get(bad[1]).state is State.COMPLETED


def test_the_first_ids_of_what_was_refused_are_told_and_all_are_counted(store: Store) -> None:
    bad = [failed(store) for _ in range(EXAMPLES + 5)]
    seen = begun(store, Act.RETRY, FAILED)
    for id_ in bad:
        store.retry(id_, actor="cli:sam")
    acts.drive(store, seen.id)
    (refused,) = acts.progress(store, seen.id).refused
    assert (refused.reason, refused.count) == ("not_ended", EXAMPLES + 5)
    assert len(refused.ids) == EXAMPLES


def test_the_jobs_of_a_retrigger_bear_its_tag_instead_of_an_earlier_one(store: Store) -> None:
    id_ = failed(store, tags=["campaign:x", "b"])
    first = run(store, Act.RETRY, FAILED)
    assert store.get(id_).tags == ("campaign:x", "b", first.tag)
    again = claim(store, id_)
    store.settle(id_, again.attempt, Decision(State.FAILED, "no_answer", "rang", "no_answer"))
    second = run(store, Act.RETRY, FAILED)
    assert store.get(id_).tags == ("campaign:x", "b", second.tag)
    assert [job.id for job in find(store, Filter(tag=second.tag))] == [id_]
    assert list(find(store, Filter(tag=first.tag))) == []
    assert_sound(snapshot(store))


def test_a_long_row_of_tags_is_kept_whole(store: Store) -> None:
    tags = [f"tag-{n:02}-{'x' * 30}" for n in range(20)]
    id_ = failed(store, tags=tags)
    report = run(store, Act.RETRY, [id_])
    assert store.get(id_).tags == (*tags, report.tag)


def test_the_key_of_a_job_that_was_retried_by_an_act_still_finds_it(store: Store) -> None:
    id_ = failed(store, key="alert-1", tags=["t"])
    run(store, Act.RETRY, FAILED)
    assert enqueue(store, key="alert-1", tags=["t"]) == id_


def test_one_job_that_is_retried_alone_keeps_its_tags(store: Store) -> None:
    id_ = failed(store, tags=["t"])
    store.retry(id_, actor="cli")
    assert store.get(id_).tags == ("t",)


def test_the_jobs_of_an_act_are_paused_by_its_tag(store: Store) -> None:
    mine, other = failed(store), enqueue(store)
    report = run(store, Act.RETRY, [mine])
    assert report.tag is not None
    pause(store, Scope(tag=report.tag), actor="cli:kim")
    assert [id_ for id_, _ in store.feed()] == [other]
    assert store.get(mine).state is State.HELD
    assert run(store, Act.CANCEL, Filter(tag=report.tag)).did == 1


def test_a_new_deadline_holds_for_all_and_the_first_ones_length_otherwise(
    store: Store, clock: Clock
) -> None:
    own = failed(store, expires="60s")
    clock.forward(10)
    run(store, Act.RETRY, [own])
    now = store.get(own).due_at
    assert store.get(own).expires_at == now + timedelta(seconds=60)
    store.cancel(own, actor="cli")
    run(store, Act.RETRY, [own], expires=600.0)
    assert store.get(own).expires_at == now + timedelta(seconds=600)


def test_cancel_ends_what_is_not_dialled_and_leaves_the_rest(store: Store) -> None:
    waits = [enqueue(store, tags=["t"]), enqueue(store, tags=["t"], at="1h")]
    called, over = in_progress(store, tags=["t"]), failed(store, tags=["t"])
    seen = acts.preview(store, Act.CANCEL, Filter(tag="t"))
    assert left_out(seen) == {"calling": (1, {called}), "ended": (1, {over})}
    assert run(store, Act.CANCEL, Filter(tag="t")).did == 2
    assert states(store, waits) == {State.CANCELLED}


def test_reached_ends_what_nobody_knows_and_leaves_the_rest(store: Store) -> None:
    both = [unknown(store), uncertain(store)]
    bad = failed(store)
    seen = acts.preview(store, Act.REACHED, Filter())
    assert left_out(seen) == {"known": (1, {bad})}
    assert run(store, Act.REACHED, Filter()).did == 2
    assert {store.get(id_).reason for id_ in both} == {"marked_reached"}
    assert_sound(snapshot(store))


def test_prioritise_moves_what_waits_to_another_line(store: Store) -> None:
    made = [enqueue(store, tags=["t"]) for _ in range(3)]
    over = failed(store, tags=["t"])
    report = run(store, Act.PRIORITISE, Filter(tag="t"), priority=Priority.URGENT)
    assert (report.did, report.tag) == (3, None)
    assert {store.get(id_).priority for id_ in made} == {Priority.URGENT}
    assert store.get(over).priority is Priority.NORMAL
    assert_sound(snapshot(store))


# -- uncertain ones ------------------------------------------------------------------------


def test_an_uncertain_job_is_redialled_now_only_where_that_is_asked_for(store: Store) -> None:
    id_ = uncertain(store)
    with pytest.raises(Refused, match="a call may be under way"):
        store.retry(id_, actor="cli")
    store.retry(id_, actor="cli", why="she sits beside me, nothing rang", uncertain=True)
    job = store.get(id_)
    assert (job.state, job.spent) == (State.QUEUED, 0)
    assert job.attempts[0].result == "maybe_placed"
    assert job.attempts[0].ended_at == job.due_at
    assert_sound(snapshot(store))


def test_evidence_before_a_redial_that_a_person_wished_for_saves_the_second_call(
    store: Store,
) -> None:
    id_ = uncertain(store)
    assert run(store, Act.RETRY, [id_], uncertain=True).did == 1
    store.settle(id_, 1, placed("call-9"))
    assert store.get(id_).state is State.IN_PROGRESS
    assert_sound(snapshot(store))


def test_a_redial_that_was_dialled_counts_late_evidence_as_a_second_call(store: Store) -> None:
    id_ = uncertain(store)
    store.retry(id_, actor="cli", uncertain=True)
    assert claim(store, id_).attempt == 2
    store.settle(id_, 1, placed("call-9"))
    assert store.counts()["second_calls"] == 1


def test_an_acts_id_looks_like_no_telephone_number_and_is_that_of_its_seed() -> None:
    made = {acts.new_id() for _ in range(100)}
    assert len(made) == 100
    assert all(len(each) == 12 and each.isalpha() for each in made)
    assert acts.new_id("a request") == acts.new_id("a request") != acts.new_id("another")


# -- once, whatever happens ----------------------------------------------------------------


def test_a_storm_of_the_same_click_begins_an_act_once(store: Store) -> None:
    made = [failed(store) for _ in range(60)]
    seen = acts.preview(store, Act.RETRY, FAILED)
    for _ in range(3):
        acts.propose(store, seen)
    answers = [acts.begin(store, seen.id, actor="cli:kim") for _ in range(5)]
    assert answers == [True, False, False, False, False]
    acts.advance(store, seen.id)
    acts.propose(store, seen)  # again while it runs
    assert acts.advance(store, seen.id) == ("done", 0)
    assert acts.progress(store, seen.id).did == 60
    assert acts.begin(store, seen.id, actor="cli:kim") is False
    assert [entry.act for entry in audit.read(store)] == ["retry", "retry.done"]
    assert all(len(store.get(id_).timeline) == 4 for id_ in made)


def test_what_failed_again_quickly_is_not_reopened_by_the_same_act(store: Store) -> None:
    made = [failed(store) for _ in range(60)]
    seen = begun(store, Act.RETRY, FAILED)
    acts.advance(store, seen.id, 1)
    id_ = seen.ids[0]
    again = claim(store, id_)
    store.settle(id_, again.attempt, Decision(State.FAILED, "no_answer", "rang", "no_answer"))
    acts.drive(store, seen.id)
    assert store.get(id_).state is State.FAILED
    assert acts.progress(store, seen.id).did == len(made)


def test_what_was_never_proposed_or_too_long_ago_cannot_be_begun(
    store: Store, clock: Clock
) -> None:
    seen = acts.preview(store, Act.RETRY, FAILED)
    for ask in (acts.advance, acts.progress):
        with pytest.raises(UnknownAction, match="there is no act"):
            ask(store, seen.id)
    with pytest.raises(UnknownAction):
        acts.begin(store, seen.id, actor="cli")
    with pytest.raises(UnknownAction):
        acts.stop(store, seen.id, actor="cli")


@pytest.mark.parametrize("part", [":ids", "s:open", "", "\n", "x" * 500, "é"])
def test_what_names_another_key_is_no_act(store: Store, part: str) -> None:
    [failed(store) for _ in range(60)]
    name = begun(store, Act.RETRY, FAILED).id + part if part else ""
    with pytest.raises(UnknownAction):
        acts.progress(store, name)
    with pytest.raises(UnknownAction):
        acts.begin(store, name, actor="cli")
    with pytest.raises(UnknownAction):
        acts.stop(store, name, actor="cli")
    with pytest.raises(UnknownAction):
        acts.advance(store, name)


def test_what_is_proposed_goes_by_itself_and_what_was_begun_stays(store: Store) -> None:
    failed(store)
    seen = acts.preview(store, Act.RETRY, FAILED)
    acts.propose(store, seen)
    keys = [store.key("act", seen.id), store.key("act", seen.id, "ids")]
    assert all(3590_000 < store.redis.pttl(key) <= 3600_000 for key in keys)
    acts.begin(store, seen.id, actor="cli")
    assert [store.redis.pttl(key) for key in keys] == [-1, -1]
    acts.drive(store, seen.id)
    assert 29 * 86400_000 < store.redis.pttl(keys[0]) <= 30 * 86400_000
    assert not store.redis.exists(keys[1])


def test_an_act_on_nothing_is_done_at_once(store: Store) -> None:
    report = run(store, Act.RETRY, FAILED)
    assert (report.state, report.chosen, report.did) == ("done", 0, 0)
    assert list(audit.read(store)) == []


def test_a_stopped_act_leaves_the_rest_as_it_is(store: Store) -> None:
    made = [failed(store) for _ in range(60)]
    seen = begun(store, Act.RETRY, FAILED)
    assert acts.advance(store, seen.id, 20) == ("running", 40)
    assert acts.stop(store, seen.id, actor="cli:sam", why="wrong list") is True
    assert acts.stop(store, seen.id, actor="cli:sam") is False
    assert acts.advance(store, seen.id) == ("stopped", 0)
    report = acts.progress(store, seen.id)
    assert (report.state, report.did, report.left) == ("stopped", 20, 40)
    assert sum(store.get(id_).state is State.QUEUED for id_ in made) == 20
    last = list(audit.read(store))[-1]
    assert (last.act, last.actor, last.why) == ("retry.stopped", "cli:sam", "wrong list")
    assert (last.facts["did"], last.facts["left"]) == (20, 40)


def test_an_act_that_nobody_drives_is_taken_up_after_its_lease(store: Store, clock: Clock) -> None:
    [failed(store) for _ in range(60)]
    assert acts.take(store) == []
    seen = begun(store, Act.RETRY, FAILED)
    assert acts.take(store) == []
    clock.forward(acts.LEASE + 1)
    assert acts.take(store) == [seen.id]
    assert acts.take(store) == []
    clock.forward(acts.LEASE + 1)
    acts.advance(store, seen.id, 1)
    assert acts.take(store) == []
    acts.drive(store, seen.id)
    clock.forward(acts.LEASE + 1)
    assert acts.take(store) == []


def test_recent_acts_are_listed_the_latest_first(store: Store, clock: Clock) -> None:
    made = []
    for _ in range(3):
        failed(store)
        made.append(run(store, Act.RETRY, FAILED, "again"))
        clock.forward(1)
    assert acts.recent(store) == made[::-1]
    assert acts.recent(store, 1) == made[2:]
    assert {each.why for each in made} == {"again"}


def test_a_driver_lets_others_have_as_much_of_redis_time(store: Store) -> None:
    [failed(store) for _ in range(120)]
    seen = begun(store, Act.RETRY, FAILED)
    slept: list[float] = []
    left: list[int] = []
    assert acts.drive(store, seen.id, tell=left.append, sleep=slept.append)
    assert left == [70, 20, 0]
    assert len(slept) == 2
    assert min(slept) > 0


def test_a_driver_stops_when_its_time_is_up(store: Store) -> None:
    [failed(store) for _ in range(120)]
    seen = begun(store, Act.RETRY, FAILED)
    assert acts.drive(store, seen.id, within=0) is False
    assert acts.progress(store, seen.id).left == 70


def test_a_job_whose_first_tags_change_stands_in_one_line(store: Store) -> None:
    """A job that was exported and imported again brings the tag of an act along."""
    id_ = failed(store, tags=["retry:abcdefghijkl", "x" * 45, "campaign:spring"])
    begun = acts.propose(store, acts.preview(store, Act.RETRY, [id_]))
    acts.begin(store, begun, actor="cli")
    assert acts.drive(store, begun)
    assert_sound(snapshot(store))
    store.settle(
        id_, claim(store, id_).attempt, Decision(State.FAILED, "no_answer", "x", "no_answer")
    )
    assert_sound(snapshot(store))
    assert not snapshot(store).get("lines:normal")


def test_what_comes_of_a_call_that_a_person_gave_up_ends_the_redial_only_if_it_was_answered(
    store: Store,
) -> None:
    unanswered, answered = uncertain(store), uncertain(store, recipient="+818011234568")
    for id_ in (unanswered, answered):
        store.retry(id_, actor="cli", uncertain=True)
    no_answer = Decision(State.FAILED, "no_answer", "NO ANSWER", "no_answer")
    store.settle(unanswered, 1, no_answer)
    store.settle(answered, 1, Decision(State.COMPLETED, "answered", "ANSWERED"))
    assert store.get(unanswered).state is State.QUEUED
    assert store.get(answered).state is State.COMPLETED
    assert_sound(snapshot(store))


def test_a_retried_job_is_not_looked_at_for_what_its_last_call_cost(
    store: Store, clock: Clock
) -> None:
    id_ = in_progress(store)
    end = Decision(State.FAILED, "no_answer", "x", "no_answer", cost_check_after=60)
    store.settle(id_, 1, end)
    assert "next:cost" in snapshot(store)
    store.retry(id_, actor="cli")
    clock.forward(120)
    assert store.take_due("cost") == []
    assert "owed" not in snapshot(store)[f"job:{id_}"]


def test_an_act_that_is_over_keeps_no_list(store: Store) -> None:
    [failed(store) for _ in range(60)]
    seen = begun(store, Act.RETRY, FAILED)
    assert f"act:{seen.id}:ids" in snapshot(store)
    acts.stop(store, seen.id, actor="cli:sam")
    assert f"act:{seen.id}:ids" not in snapshot(store)
