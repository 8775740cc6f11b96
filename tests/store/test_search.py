"""Finding and counting jobs: every filter, beyond one page, in the promised order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dispatcher.model.filters import Filter
from dispatcher.model.states import State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.indexes import PAGE
from support.claims import take
from support.clock import Clock
from support.redis_inside import redis_of
from support.store_jobs import RECIPIENT, START, claim, enqueue, failed, in_progress, request

OTHER = "+14155550123"
BEGIN = datetime.fromtimestamp(START / 1000, UTC)
MANY = 2 * PAGE + 50


def ids(store: Store, **wanted: Any) -> list[str]:
    return [job.id for job in store.search.find(Filter(**wanted))]


def many(store: Store, **fields: Any) -> list[str]:
    """Write more than two pages of jobs in the same millisecond."""
    return [outcome.id for outcome in store.jobs.enqueue_many([request(**fields)] * MANY)]


def test_without_a_filter_all_jobs_are_found_newest_first(store: Store, clock: Clock) -> None:
    made = []
    for at in (None, "1h", None, "1h"):
        made.append(enqueue(store, at=at))
        clock.forward(1)
    made.append(failed(store))
    assert ids(store) == made[::-1]


def test_jobs_are_found_by_one_state_or_several(store: Store, clock: Clock) -> None:
    made = {}
    for state, make in (("queued", enqueue), ("in_progress", in_progress), ("failed", failed)):
        made[state] = make(store)
        clock.forward(1)
    assert ids(store, states=[State.FAILED]) == [made["failed"]]
    assert ids(store, states=[State.QUEUED, State.FAILED]) == [made["failed"], made["queued"]]
    assert ids(store, states=[State.CANCELLED]) == []


def test_jobs_are_found_by_the_reason_they_failed_or_are_held_for(store: Store) -> None:
    held, bad = enqueue(store), failed(store)
    store.holds.start("credit", "empty")
    take(store)
    assert ids(store, reason="invalid_request") == [bad]
    assert ids(store, reason="credit") == [held]
    assert ids(store, reason="credit", states=[State.FAILED]) == []


def test_jobs_are_found_by_tag_alone_and_with_a_state(store: Store, clock: Clock) -> None:
    one = enqueue(store, tags=["db1", "disk"])
    clock.forward(1)
    two = failed(store, tags=["disk"])
    enqueue(store, tags=["disk2"])
    assert ids(store, tag="disk") == [two, one]
    assert ids(store, tag="db1") == [one]
    assert ids(store, tag="disk", states=[State.QUEUED]) == [one]
    assert ids(store, tag="dis") == []


def test_jobs_are_found_by_the_whole_number_or_its_last_digits(store: Store, clock: Clock) -> None:
    one = enqueue(store)
    clock.forward(1)
    two = enqueue(store)
    three = enqueue(store, recipient=OTHER)
    assert ids(store, recipient=RECIPIENT) == [two, one]
    assert ids(store, recipient="4567") == [two, one]
    assert ids(store, recipient="0123") == [three]
    assert ids(store, recipient=RECIPIENT[:-1]) == []
    assert ids(store, recipient="999") == []


def test_last_digits_with_a_plus_are_a_whole_number_and_not_an_ending(store: Store) -> None:
    enqueue(store)
    assert ids(store, recipient="+4567") == []


def test_a_conference_is_found_by_each_of_its_numbers_and_once(store: Store) -> None:
    both = ["+818011230123", OTHER]
    conference = enqueue(store, recipient=None, say=None, participants=both)
    for wanted in (*both, "0123"):
        assert ids(store, recipient=wanted) == [conference]


def test_a_conference_is_found_once_even_across_pages(store: Store) -> None:
    both = ["+818011230123", OTHER]
    made = many(store, recipient=None, say=None, participants=both)
    found = ids(store, recipient="0123")
    assert sorted(found) == sorted(made)


def test_creation_is_bounded_from_since_up_to_until(store: Store, clock: Clock) -> None:
    made = []
    for _ in range(4):
        made.append(enqueue(store, tags=["t"]))
        clock.forward(0.001)
    bounds = {
        "since": BEGIN + timedelta(milliseconds=1),
        "until": BEGIN + timedelta(milliseconds=3),
    }
    for more in ({}, {"tag": "t"}, {"recipient": RECIPIENT}, {"states": [State.QUEUED]}):
        assert ids(store, **bounds, **more) == [made[2], made[1]]
    assert ids(store, since=bounds["until"]) == [made[3]]
    assert ids(store, until=bounds["since"]) == [made[0]]


@pytest.mark.parametrize("wanted", [{}, {"tag": "t"}, {"recipient": RECIPIENT}, {"recipient": "7"}])
def test_more_than_one_page_is_found_whole_and_nothing_twice(
    store: Store, wanted: dict[str, str]
) -> None:
    made = many(store, tags=["t"])
    found = ids(store, **wanted)
    assert len(found) == MANY
    assert set(found) == set(made)


def test_several_states_are_merged_by_creation_over_many_pages(store: Store, clock: Clock) -> None:
    batches = []
    for at in (None, "1h", None, "1h"):
        batches.append({o.id for o in store.jobs.enqueue_many([request(at=at)] * (PAGE - 50))})
        clock.forward(1)
    found = ids(store)
    size = PAGE - 50
    assert [set(found[i : i + size]) for i in range(0, len(found), size)] == batches[::-1]


def test_reading_a_few_reads_no_more_than_their_page(store: Store) -> None:
    many(store)
    jobs = store.search.find(Filter())
    before = redis_of(store).info("commandstats")["cmdstat_hgetall"]["calls"]
    next(jobs)
    after = redis_of(store).info("commandstats")["cmdstat_hgetall"]["calls"]
    assert after - before == PAGE + 1  # the states that there are, and the jobs


def test_every_job_counts_once_by_its_state_and_reason(store: Store) -> None:
    enqueue(store)
    enqueue(store, at="1h")
    failed(store)
    for _ in range(2):
        in_progress(store)
    table = store.search.counts()
    assert set(table) == set(State)
    assert table["failed"] == {"invalid_request": 1}
    assert (table["queued"], table["scheduled"]) == ({"": 1}, {"": 1})
    assert table["in_progress"] == {"": 2}
    assert sum(sum(reasons.values()) for reasons in table.values()) == 5


def test_jobs_that_ended_are_listed_oldest_first_for_the_purge(store: Store, clock: Clock) -> None:
    made = []
    for _ in range(3):
        made.append(failed(store))
        clock.forward(1)
    enqueue(store)
    assert list(store.search.ended_before(clock.ms)) == made
    assert list(store.search.ended_before(START + 1000)) == made[:1]


def test_ended_jobs_of_every_kind_are_listed_up_to_the_limit(store: Store, clock: Clock) -> None:
    cancelled = enqueue(store)
    store.jobs.cancel(cancelled, actor="cli")
    done = enqueue(store)
    claim(store, done)
    store.calls.settle(done, 1, Decision(State.FAILED, "not_allowed", "no", "not_allowed"))
    clock.forward(1)
    assert set(store.search.ended_before(clock.ms)) == {cancelled, done}


def test_old_jobs_that_ended_lately_do_not_hide_the_others_from_the_purge(store: Store) -> None:
    made = [failed(store) for _ in range(2 * PAGE + 1)]
    kept, purged = set(made[: PAGE + 1]), set()
    for id_ in store.search.ended_before(store.now() + 1):
        if id_ not in kept and store.jobs.purge(id_, store.now() + 1):
            purged.add(id_)
    assert purged == set(made) - kept
