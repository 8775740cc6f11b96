"""Indexes in pages: whatever comes and goes, each page is in its place, and walks find all."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatcher.model.filters import Filter
from dispatcher.model.request import JobRequest
from dispatcher.model.states import State
from dispatcher.store import Store, schema
from support.claims import take
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.store_jobs import request, snapshot

STEPS = st.lists(st.tuples(st.sampled_from([0, 0, 1, 5, -3]), st.integers(1, 300)), max_size=5)


@given(steps=STEPS, purged=st.integers(0, 400))
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_what_came_in_any_order_is_found_in_order(
    store: Store, clock: Clock, steps: list[tuple[int, int]], purged: int
) -> None:
    """Many of one millisecond, one after another, and before others as after a clock's step."""
    known = {job for some in store.search.find_ids(Filter(tag="paged")) for job in some}
    for id_ in known:
        store.jobs.cancel(id_, actor="cli:ops")
        assert store.jobs.purge(id_, clock.ms + 1)
    made: list[str] = []
    for step, many in steps:
        clock.forward(step / 1000)
        asked = [request(tags=["paged"]) for _ in range(many)]
        made += [outcome.id for outcome in store.jobs.enqueue_many(asked)]
    for id_ in sorted(made)[:purged]:
        store.jobs.cancel(id_, actor="cli:ops")
        assert store.jobs.purge(id_, clock.ms + 10)
    left = sorted(made)[purged:]
    found = [job for some in store.search.find_ids(Filter(tag="paged")) for job in some]
    created = {id_: int(at) for id_, at in snapshot(store).get("by_tag:paged", {}).items()}
    assert found == sorted(left, key=lambda id_: (created[id_], id_), reverse=True)


def test_a_page_stays_closely_packed(store: Store, clock: Clock) -> None:
    for _ in range(3):
        store.jobs.enqueue_many([request(tags=["packed"]) for _ in range(schema.PAGE_FULL + 60)])
        store.jobs.enqueue(request(tags=["packed"]))
        clock.forward(0.001)
    pages = list(redis_of(store).scan_iter(key_of(store, "by_tag_page", "packed", "*")))
    assert len(pages) >= 5
    assert {redis_of(store).object("encoding", page) for page in pages} == {b"listpack"}


@pytest.mark.parametrize("digits", ["567", "4567", "34567", "1234567", "+818011234567"])
def test_a_conference_is_found_by_the_last_digits_of_each_number(store: Store, digits: str) -> None:
    """Also where two of its numbers end alike."""
    numbers = ["+818022334567", "+818011234567"]
    id_ = store.jobs.enqueue(JobRequest.of({"participants": numbers})).id
    store.jobs.enqueue(request(recipient="+818011234568"))
    assert [job.id for job in store.search.find(Filter(recipient=digits))] == [id_]


def test_those_who_are_called_are_found_in_order_in_their_one_page(
    store: Store, clock: Clock
) -> None:
    """However many they are, whatever came in one millisecond, and wherever a walk goes on."""
    expected: list[str] = []
    for many in (schema.PAGE_FULL, 3, 40):
        made = store.jobs.enqueue_many([request() for _ in range(many)])
        expected += sorted(outcome.id for outcome in made)
        clock.forward(0.001)
    assert len([*take(store, 30), *take(store), *take(store)]) == len(expected)
    index = ("by_state", "dialing")
    for size in (7, 200):
        assert [id_ for _, id_ in store.search._indexes.walk(index, size=size)] == expected[::-1]
    assert list(store.search._indexes.oldest(index, clock.ms)) == expected
    assert store.search.counts()[State.DIALING] == {"": len(expected)}
    (page,) = redis_of(store).scan_iter(key_of(store, "by_state_page", "dialing", "*"))
    assert page.decode() == key_of(store, "by_state_page", "dialing", "")
