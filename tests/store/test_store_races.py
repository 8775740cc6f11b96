"""Many at once: whoever comes first does it, and nothing is done twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.states import State
from dispatcher.store import Store
from dispatcher.store.values import Claim, Refused
from support.claims import claim_one, take
from support.clock import Clock
from support.store_jobs import (
    assert_sound,
    claim,
    enqueue,
    in_progress,
    placed,
    request,
    snapshot,
)

THREADS = 16

T = TypeVar("T")
AtOnce = Callable[[Callable[[int], T]], list[T]]


@pytest.fixture
def at_once() -> Iterator[AtOnce[T]]:
    """Call a function with 0, 1, … from that many threads, which all start together."""
    start = threading.Barrier(THREADS)
    with ThreadPoolExecutor(THREADS) as pool:

        def run(act: Callable[[int], T]) -> list[T]:
            def turn(number: int) -> T:
                start.wait(timeout=10)
                return act(number)

            return list(pool.map(turn, range(THREADS)))

        yield run


def test_one_of_many_claimers_gets_the_job(store: Store, at_once: AtOnce[object]) -> None:
    id_ = enqueue(store)
    answers = at_once(lambda number: claim_one(store, id_, token=f"t{number}", lease=30))
    assert sum(isinstance(answer, Claim) for answer in answers) == 1
    assert answers.count(State.DIALING) == THREADS - 1
    assert len(store.jobs.get(id_).attempts) == 1


def test_each_of_many_jobs_is_claimed_once_in_a_scramble(
    store: Store, at_once: AtOnce[list[str]]
) -> None:
    ids = [enqueue(store) for _ in range(30)]

    def scramble(number: int) -> list[str]:
        return [
            id_
            for id_ in ids[number:] + ids[:number]
            if isinstance(claim_one(store, id_, token=f"{number}", lease=30), Claim)
        ]

    claimed = [id_ for won in at_once(scramble) for id_ in won]
    assert sorted(claimed) == sorted(ids)
    assert_sound(snapshot(store))


def test_one_job_comes_of_the_same_key_enqueued_by_many(
    store: Store, at_once: AtOnce[tuple[str, bool]]
) -> None:
    def submit(number: int) -> tuple[str, bool]:
        done = store.jobs.enqueue(request(key="alert"))
        return done.id, done.new

    answers = at_once(submit)
    assert len({id_ for id_, _ in answers}) == 1
    assert sum(new for _, new in answers) == 1
    job = store.jobs.get(answers[0][0])
    assert [event.to for event in job.timeline] == ["queued"]


def test_many_pumps_move_each_due_job_once(
    store: Store, clock: Clock, at_once: AtOnce[int]
) -> None:
    ids = [enqueue(store, at=1) for _ in range(50)]
    clock.forward(1)
    moved = at_once(lambda _: store.queue.pump(most=10).due)
    assert sum(moved) == len(ids)
    assert all(len(store.jobs.get(id_).timeline) == 2 for id_ in ids)


def test_many_takes_claim_each_job_once_and_keep_to_the_connections(
    store: Store, at_once: AtOnce[list[str]]
) -> None:
    store.limiter.publish(AccountConfig(connections=30, one_at_a_time=False))
    for _ in range(40):
        enqueue(store)
    claimed = [id_ for ids in at_once(lambda _: take(store, 3)) for id_ in ids]
    assert len(claimed) == len(set(claimed)) == 30
    assert_sound(snapshot(store))


def test_many_takes_with_the_same_token_are_one(store: Store, at_once: AtOnce[list[str]]) -> None:
    for _ in range(10):
        enqueue(store)
    store.limiter.publish(AccountConfig(one_at_a_time=False))
    (claimed,) = {tuple(sorted(ids)) for ids in at_once(lambda _: take(store, 3, token="t"))}
    assert len(claimed) == 3
    assert sum(store.search.counts()[State.DIALING].values()) == 3


def test_who_takes_dials_or_who_cancels_wins_but_not_both(
    store: Store, at_once: AtOnce[tuple[set[str], set[str]]]
) -> None:
    store.limiter.publish(AccountConfig(connections=100, one_at_a_time=False))
    ids = [enqueue(store) for _ in range(THREADS)]

    def act(number: int) -> tuple[set[str], set[str]]:
        if number % 2:
            return set(take(store, 4)), set()
        with suppress(Refused):
            store.jobs.cancel(ids[number], actor="cli")
            return set(), {ids[number]}
        return set(), set()

    answers = at_once(act)
    taken_ = [id_ for some, _ in answers for id_ in some]
    cancelled = [id_ for _, some in answers for id_ in some]
    assert sorted([*taken_, *cancelled]) == sorted(ids)


def test_many_rescues_recover_each_job_once(
    store: Store, clock: Clock, at_once: AtOnce[int]
) -> None:
    ids = [enqueue(store) for _ in range(20)]
    for id_ in ids:
        claim(store, id_)
    clock.forward(30)
    assert sum(at_once(lambda _: store.calls.rescue(300, most=3))) == len(ids)
    assert {store.jobs.get(id_).spent for id_ in ids} == {1}


def test_a_due_check_is_taken_by_one_caller(
    store: Store, clock: Clock, at_once: AtOnce[list[str]]
) -> None:
    ids = [in_progress(store, f"call-{number}") for number in range(20)]
    clock.forward(3600)
    taken = at_once(lambda _: store.calls.take_due(State.IN_PROGRESS, most=3))
    assert sorted(id_ for some in taken for id_ in some) == sorted(ids)


def test_the_same_answer_written_by_many_counts_once(
    store: Store, at_once: AtOnce[State | None]
) -> None:
    id_ = enqueue(store)
    claim(store, id_)
    assert set(at_once(lambda _: store.calls.settle(id_, 1, placed()))) == {State.IN_PROGRESS}
    job = store.jobs.get(id_)
    assert job.spent == 1
    assert [event.to for event in job.timeline] == ["queued", "dialing", "in_progress"]


def test_a_cancel_and_a_claim_do_not_both_win(store: Store, at_once: AtOnce[str]) -> None:
    id_ = enqueue(store)

    def act(number: int) -> str:
        if number % 2:
            won = isinstance(claim_one(store, id_, token=f"t{number}", lease=30), Claim)
            return "claimed" if won else ""
        try:
            store.jobs.cancel(id_, actor="cli")
        except Refused:
            return ""
        return "cancelled"

    (winner,) = filter(None, at_once(act))
    assert store.jobs.get(id_).state == ("dialing" if winner == "claimed" else "cancelled")
    assert_sound(snapshot(store))


def test_one_caller_looks_at_the_balance(store: Store, at_once: AtOnce[bool]) -> None:
    assert sum(at_once(lambda _: store.budget.take_check(lease=60) is not None)) == 1
