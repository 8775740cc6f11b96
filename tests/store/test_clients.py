"""What waits of each client is counted in the step that changes it, and fits in its room."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatcher.model.filters import Filter
from dispatcher.model.states import WAITING
from dispatcher.store import Store
from dispatcher.store.packing import packed
from dispatcher.store.values import KeyConflict, NoRoom, Refused, Room, UnknownJob, job_id
from support.claims import claim_one
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.store_jobs import placed, request

ROOM = Room(3, 1 << 20)


def number(key: str) -> str:
    return f"+8180123400{ord(key) % 100:02}"


def ask(store: Store, key: str, room: Room | None = ROOM, actor: str = "billing") -> str:
    asked = request(key=key, say=f"Hello {key}", recipient=number(key))
    return store.jobs.enqueue(asked, actor=actor, scope=actor, room=room).id


def size(store: Store, id_: str) -> int:
    return int(redis_of(store).hget(key_of(store, "job", id_), "size") or 0)


def test_a_client_has_so_many_jobs_waiting_and_no_more(store: Store) -> None:
    ids = [ask(store, key) for key in "abc"]
    with pytest.raises(NoRoom, match="DISPATCHER_JOBS_PER_CLIENT"):
        ask(store, "d")
    assert ask(store, "a") == ids[0]  # it is there already
    ask(store, "d", actor="other")
    ask(store, "d", room=None)
    waits = store.clients.waiting()
    assert waits["billing"] == Room(3, sum(size(store, id_) for id_ in ids))
    assert waits["other"].jobs == 1


def test_a_client_has_so_many_bytes_waiting_and_no_more(store: Store) -> None:
    first = ask(store, "a")
    room = Room(100, 2 * size(store, first) - 1)
    with pytest.raises(NoRoom, match="DISPATCHER_JOB_BYTES_PER_CLIENT"):
        ask(store, "b", room)
    store.jobs.cancel(first, actor="cli:ops")
    ask(store, "b", room)


def test_of_many_those_are_taken_that_there_is_room_for(store: Store) -> None:
    asked = [request(key=str(n)) for n in range(5)]
    outcomes = store.jobs.enqueue_many(asked, actor="billing", room=ROOM)
    assert [outcome.answer for outcome in outcomes] == ["new"] * 3 + ["jobs"] * 2


def test_a_job_that_is_called_waits_no_more(store: Store) -> None:
    id_ = ask(store, "a")
    assert claim_one(store, id_, token="t", lease=30)
    assert store.clients.waiting() == {}
    store.calls.settle(id_, 1, placed())
    assert store.clients.waiting() == {}


def test_whose_job_is_removed_has_room_again(store: Store) -> None:
    for key in "123":
        ask(store, key)
    for key in "12":
        store.retention.forget_recipient(number(key), actor="cli:ops", note="")
    assert store.clients.waiting()["billing"].jobs == 1


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "later", "pump", "cancel", "retry", "claim", "remove"]),
        st.sampled_from("012345"),
    ),
    max_size=25,
)


@given(steps=STEPS)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_happens_what_is_counted_is_what_waits(
    store: Store, clock: Clock, steps: list[tuple[str, str]]
) -> None:
    for key in "012345":
        store.retention.forget_recipient(number(key), actor="cli:ops", note="")
    for what, key in steps:
        with suppress(NoRoom, Refused, UnknownJob, KeyConflict):
            step(store, clock, what, key)
        jobs = [job for job in store.search.find(Filter()) if job.state in WAITING]
        counted = store.clients.waiting().get("billing", Room(0, 0))
        assert counted == Room(len(jobs), sum(size(store, job.id) for job in jobs))


def step(store: Store, clock: Clock, what: str, key: str) -> None:
    """Do something to a job, if it can be done."""
    id_ = job_id(key, "billing")
    if what == "ask":
        ask(store, key)
    elif what == "later":
        asked = request(
            key=key, recipient=number(key), at=timedelta(minutes=1), expires=timedelta(hours=1)
        )
        store.jobs.enqueue(asked, actor="billing", scope="billing", room=ROOM)
    elif what == "pump":
        clock.forward(40)
        store.queue.pump(most=10)
    elif what == "claim":
        claim_one(store, id_, token=f"{clock()}", lease=30)
    elif what == "remove":
        store.retention.forget_recipient(number(key), actor="cli:ops", note="")
    else:
        getattr(store.jobs, what)(id_, actor="cli:ops")


WIDE = "\U0001f600"


def largest(number: int) -> dict[str, Any]:
    """A request as large as one can be made."""
    values = {f"{name:a<64}": WIDE * 496 for name in "abcd"}
    return {
        "say": '"' + WIDE * 3999,
        "tags": [f"{number:06}{n:02}{WIDE * 92}" for n in range(20)],
        "key": f"{number:06}{WIDE * 249}",
        "webhook": f"https://example.com/{'a' * 2000}",
        "params": dict(list(values.items())[:3]),
    }


def test_no_job_is_larger_than_its_fields_allow() -> None:
    text = packed(request(**largest(1))).text
    assert len(text.encode()) < 40_000
    assert json.loads(text)


@pytest.mark.parametrize(
    "fields",
    [
        lambda n: {"key": str(n), "tags": ["campaign:parcels"]},
        lambda n: {"key": str(n), "tags": [f"{n}-{tag}" for tag in range(20)]},
        lambda n: {"key": str(n), "tags": [f"campaign:{n}"]},
        lambda n: {"key": str(n), "say": WIDE * 4000},
        largest,
    ],
    ids=["usual", "tags", "campaigns", "text", "largest"],
)
def test_what_a_job_is_said_to_take_is_about_what_it_takes(
    store: Store, fields: Callable[[int], dict[str, Any]]
) -> None:
    """Other jobs of the tests are there, and this server's bookkeeping: not to the byte."""
    before = memory(store)
    asked = [request(**fields(n)) for n in range(150)]
    store.jobs.enqueue_many(asked, actor="billing", room=Room(1000, 1 << 30))
    taken, told = memory(store) - before, store.clients.waiting()["billing"].bytes
    assert taken / 2 < told < taken * 2


def memory(store: Store) -> int:
    return int(redis_of(store).info("memory")["used_memory"])
