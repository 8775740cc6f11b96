"""Listing a page at a time: newest first, stable while jobs come and move, and never for long."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from threading import Event
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.model.filters import Filter, InvalidFilter
from dispatcher.model.states import State
from dispatcher.store import Store
from dispatcher.store.indexes import FEW, PAGE
from dispatcher.store.search import MOST_READ, InvalidCursor, Page
from support.clock import Clock
from support.redis_inside import redis_of
from support.store_jobs import RECIPIENT, START, enqueue, failed, request

OTHER = "+14155550123"


def pages(store: Store, wanted: Filter, limit: int) -> list[Page]:
    found = [store.search.page(wanted, limit)]
    while found[-1].cursor is not None:
        found.append(store.search.page(wanted, limit, found[-1].cursor))
    return found


def ids(found: list[Page]) -> list[str]:
    return [job.id for each in found for job in each.jobs]


def many(store: Store, count: int, actor: str = "producer", **fields: Any) -> list[str]:
    """Write jobs in the same millisecond."""
    made = store.jobs.enqueue_many([request(**fields)] * count, actor=actor)
    return [each.id for each in made]


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"tag": "t"},
        {"recipient": RECIPIENT},
        {"recipient": "4567"},
        {"producer": "shop"},
        {"states": (State.QUEUED,)},
        {"states": (State.QUEUED,), "tag": "t", "producer": "shop", "recipient": "7"},
    ],
)
def test_pages_have_all_that_is_meant_once_and_newest_first(
    store: Store, clock: Clock, wanted: dict[str, Any]
) -> None:
    made = []
    for _ in range(5):
        made.append(many(store, 50, "shop", tags=["t"]))
        clock.forward(0.001)
    found = pages(store, Filter(**wanted), 30)
    assert [len(each.jobs) for each in found] == [30] * 8 + [10]
    assert ids(found) == [id_ for batch in reversed(made) for id_ in sorted(batch, reverse=True)]


def test_the_last_page_leads_nowhere_even_where_it_is_full(store: Store) -> None:
    many(store, 20)
    assert [len(each.jobs) for each in pages(store, Filter(), 10)] == [10, 10]
    assert store.search.page(Filter(tag="none"), 10) == Page([], None)


def test_jobs_that_come_and_move_meanwhile_shift_nothing(store: Store, clock: Clock) -> None:
    made = []
    for _ in range(30):
        made.append(enqueue(store))
        clock.forward(1)
    first = store.search.page(Filter(), 10)
    store.jobs.cancel(made[-1], actor="cli")  # was on the first page
    store.jobs.cancel(made[15], actor="cli")  # is on the second
    enqueue(store)
    second = store.search.page(Filter(), 10, first.cursor)
    third = store.search.page(Filter(), 10, second.cursor)
    assert ids([first, second, third]) == made[::-1]
    waiting = Filter(states=(State.QUEUED,))
    assert made[15] not in ids([store.search.page(waiting, 10, first.cursor)])


def test_a_cursor_whose_job_is_gone_leads_on(store: Store, clock: Clock) -> None:
    made = [failed(store) for _ in range(6)]
    first = store.search.page(Filter(), 3)
    clock.forward(1)
    for job in first.jobs:
        assert store.jobs.purge(job.id, store.now())
    assert ids([first, store.search.page(Filter(), 3, first.cursor)]) == sorted(made, reverse=True)


def test_a_page_looks_at_so_many_jobs_and_no_more(store: Store, clock: Clock) -> None:
    oldest = many(store, 1, "shop")
    clock.forward(1)
    many(store, 2 * MOST_READ)
    wanted = Filter(producer="shop")
    before = redis_of(store).info("commandstats")["cmdstat_hmget"]["calls"]
    first = store.search.page(wanted, 50)
    read = redis_of(store).info("commandstats")["cmdstat_hmget"]["calls"] - before
    assert MOST_READ <= read <= MOST_READ + PAGE
    assert first.jobs == []
    assert first.cursor is not None
    assert ids(pages(store, wanted, 50)) == oldest


def test_the_index_with_the_fewest_is_walked(store: Store, clock: Clock) -> None:
    bad = failed(store, tags=["t"])
    clock.forward(1)
    many(store, 2 * MOST_READ, tags=["t"])
    wanted = Filter(states=(State.FAILED,), tag="t")
    assert store.search.page(wanted, 10) == Page([store.jobs.get(bad)], None)
    rare = enqueue(store, tags=["rare"])
    assert ids([store.search.page(Filter(states=(State.QUEUED,), tag="rare"), 10)]) == [rare]


def test_an_ending_that_many_numbers_have_is_found_by_time(store: Store, clock: Clock) -> None:
    made = many(store, FEW, recipient=OTHER)
    clock.forward(1)
    newest = many(store, 5)
    clock.forward(1)
    last = many(store, 5, recipient=OTHER)
    found = pages(store, Filter(recipient="3"), 400)
    assert ids(found)[:5] == sorted(last, reverse=True)
    assert set(ids(found)) == {*made, *last}
    assert set(newest).isdisjoint(ids(found))


def test_the_producer_is_the_one_who_enqueued(store: Store) -> None:
    (mine,) = many(store, 1, "shop")
    many(store, 1, "shopping")
    store.jobs.cancel(mine, actor="shopping")
    assert ids(pages(store, Filter(producer="shop"), 10)) == [mine]


def test_ids_are_found_without_reading_the_jobs(store: Store) -> None:
    made = many(store, 3 * PAGE, tags=["t"])
    before = redis_of(store).info("commandstats")["cmdstat_hgetall"]["calls"]
    found = [id_ for some in store.search.find_ids(Filter(tag="t")) for id_ in some]
    script_loads = redis_of(store).info("commandstats")["cmdstat_hgetall"]["calls"] - before
    assert sorted(found) == sorted(made)
    assert script_loads == 1  # the states that there are


@pytest.mark.parametrize("cursor", ["", "x", "1.", ".a", "-1.abc", "1e5.abc", "9" * 40 + ".abc"])
def test_what_is_no_cursor_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(InvalidCursor, match="is not a cursor"):
        store.search.page(Filter(), 10, cursor)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"reason": ""}, "reason: it is empty"),
        ({"tag": ""}, "tag: it is empty"),
        ({"producer": ""}, "producer: it is empty"),
        ({"recipient": ""}, "recipient: '' is not a number"),
        ({"recipient": "+81 80"}, "is not a number or its last digits"),
        ({"recipient": "٣"}, "is not a number or its last digits"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(fields: dict[str, str], says: str) -> None:
    with pytest.raises(InvalidFilter, match=says):
        Filter(**fields)  # type: ignore[arg-type]


def test_a_filter_says_what_it_means_in_words() -> None:
    at = datetime.fromtimestamp(START / 1000, UTC)
    assert str(Filter()) == "all jobs"
    wanted = Filter((State.FAILED, State.EXPIRED), "no_answer", "t", "4567", at, None, "shop")
    assert str(wanted) == (
        "state=failed state=expired reason=no_answer tag=t recipient=…4567 producer=shop"
        " since=2023-11-14T22:13:20.000Z"
    )


MOVES = st.lists(
    st.tuples(st.sampled_from(["new", "cancel", "tick", "page"]), st.integers(0, 30)), max_size=60
)


@settings(max_examples=60)
@given(moves=MOVES)
def test_whatever_moves_what_stands_is_seen_once_and_in_order(
    store: Store, clock: Clock, moves: list[tuple[str, int]]
) -> None:
    redis_of(store).flushdb()
    made = many(store, 12, tags=["t"])
    seen: list[Page] = [store.search.page(Filter(), 3)]
    for what, pick in moves:
        if what == "new":
            made.append(enqueue(store))
        elif what == "tick":
            clock.forward(0.001)
        elif what == "cancel" and store.jobs.get(made[pick % len(made)]).state is State.QUEUED:
            store.jobs.cancel(made[pick % len(made)], actor="cli")
        elif what == "page" and seen[-1].cursor:
            seen.append(store.search.page(Filter(), 3, seen[-1].cursor))
    while seen[-1].cursor:
        seen.append(store.search.page(Filter(), 3, seen[-1].cursor))
    places = [(job.created_at, job.id) for each in seen for job in each.jobs]
    assert all(one > two for one, two in pairwise(places))
    assert set(made[:12]) <= set(ids(seen))
    assert set(ids(seen)) <= set(made)
    assert sorted(job.id for job in store.search.find(Filter())) == sorted(made)


def test_a_job_that_changes_its_state_just_now_is_never_missing(store: Store) -> None:
    id_ = enqueue(store)
    over = Event()

    def change() -> None:
        while not over.is_set():
            store.jobs.cancel(id_, actor="cli")
            store.jobs.retry(id_, actor="cli")

    with ThreadPoolExecutor(1) as pool:
        changes = pool.submit(change)
        found = [len(store.search.page(Filter(), 1).jobs) for _ in range(200)]
        over.set()
        changes.result()
    assert set(found) == {1}
