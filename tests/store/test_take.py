"""Which jobs a worker is given: by priority, in turn between lines, each judged by itself."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.states import Priority, State
from dispatcher.store import Store
from dispatcher.values.rate import Rate
from support.claims import take, taken
from support.clock import Clock
from support.store_jobs import (
    assert_sound,
    enqueue,
    placed,
    request,
    snapshot,
)

_NUMBERS = itertools.count()
URGENT, NORMAL, BULK = Priority
AHEAD = 0.025
"""Seconds that a claim may come before its request."""


def put(store: Store, many: int, actor: str = "producer", **fields: Any) -> list[str]:
    return [done.id for done in store.jobs.enqueue_many([request(**fields)] * many, actor=actor)]


def turns(store: Store, many: int) -> list[str]:
    """Take one after another, as a worker of one thread does."""
    return [id_ for _ in range(many) for id_ in take(store, 1)]


def priorities(store: Store, many: int) -> list[Priority]:
    return [store.jobs.get(id_).priority for id_ in turns(store, many)]


def test_a_claim_has_its_job_as_it_stands_but_for_the_timeline(store: Store) -> None:
    said = "Größe, " * 20  # a long text is kept in pieces
    (id_,) = put(store, 1, say=said, tags=["a", "b"], key="k", max_attempts=3)
    (claim,) = taken(store, 1).claims
    job = store.jobs.get(id_)
    assert job.timeline
    assert claim.job == replace(job, timeline=(), next_at=None)
    assert claim.job.say == said


# -- priorities ----------------------------------------------------------------------------


def test_bulk_waits_for_normal_and_normal_for_urgent_but_for_their_shares(store: Store) -> None:
    for priority in Priority:
        put(store, 100, priority=priority)
    served = priorities(store, 100)
    assert [served.count(priority) for priority in Priority] == [85, 10, 5]
    assert served[9::10] == [NORMAL] * 10
    assert served[14::20] == [BULK] * 5


def test_shares_are_for_those_who_wait(store: Store) -> None:
    put(store, 40, priority="urgent")
    put(store, 2, priority="bulk")
    served = priorities(store, 42)
    assert [at for at, priority in enumerate(served) if priority is BULK] == [14, 34]


def test_takes_that_find_no_room_take_nobodys_turn(store: Store, clock: Clock) -> None:
    store.limiter.publish(AccountConfig(rate=Rate(1), one_at_a_time=False, connections=100))
    put(store, 60, priority="normal")
    put(store, 60, priority="bulk")
    served = []
    for _ in range(40):
        (id_,) = take(store)
        served.append(store.jobs.get(id_).priority)
        assert take(store) == []
        assert take(store) == []
        clock.forward(2)
    assert served.count(BULK) == 2


def test_an_urgent_job_goes_out_next_whatever_waits(store: Store, clock: Clock) -> None:
    store.limiter.publish(AccountConfig(rate=Rate(1), one_at_a_time=False))
    put(store, 10, priority="bulk")
    assert len(take(store)) == 1
    clock.forward(0.5)
    (urgent,) = put(store, 1, priority="urgent")
    assert take(store) == []
    clock.forward(1)
    assert take(store) == [urgent]


# -- lines ---------------------------------------------------------------------------------


@pytest.mark.parametrize("small", ["aa", "zz"])
def test_ten_jobs_of_one_are_served_within_twenty_turns_of_anothers_flood(
    store: Store, small: str
) -> None:
    put(store, 500, actor="mm")
    turns(store, 50)
    ten = put(store, 10, actor=small)
    served = turns(store, 22)
    assert set(ten) <= set(served)


def test_the_jobs_of_a_campaign_share_one_line_whoever_sent_them(store: Store) -> None:
    flood = put(store, 30, actor="a", tags=["campaign:x"])
    flood += put(store, 30, actor="b", tags=["news", "campaign:x"])
    other = put(store, 10, actor="c", tags=["campaign:y"])
    served = turns(store, 20)
    assert abs(len(set(served) & set(other)) - 10) <= 1
    assert set(served) <= {*flood, *other}


def test_the_oldest_of_a_line_goes_first(store: Store, clock: Clock) -> None:
    ids = []
    for _ in range(12):
        ids += put(store, 1)
        clock.forward(0.001)
    assert turns(store, 12) == ids


@pytest.mark.parametrize("steady", ["aa", "zz"])
def test_one_that_comes_with_one_job_after_another_takes_only_its_turns(
    store: Store, steady: str
) -> None:
    flood = set(put(store, 100, actor="mm"))
    served = []
    waiting: list[str] = []
    for _ in range(40):
        waiting = waiting or put(store, 1, actor=steady)
        (id_,) = turns(store, 1)
        served.append(id_ in flood)
        waiting = [other for other in waiting if other != id_]
    assert 15 <= sum(served) <= 30


def test_a_line_that_was_idle_does_not_make_up_for_it(store: Store) -> None:
    put(store, 200, actor="mm")
    turns(store, 100)
    late = set(put(store, 50, actor="aa"))
    assert 9 <= len(late & set(turns(store, 20))) <= 11


def test_a_producer_of_a_long_name_has_one_line_too(store: Store) -> None:
    ids = put(store, 3, actor="a producer " + "with a very long name " * 5)
    assert sorted(take(store)) == sorted(ids)
    assert take(store) == []
    assert_sound(snapshot(store))


# -- how many are claimed ------------------------------------------------------------------


def test_no_more_are_claimed_than_the_worker_can_dial(store: Store) -> None:
    for priority in ("urgent", "urgent", "normal"):
        enqueue(store, priority=priority)
    assert [len(take(store, 2)), len(take(store, 2))] == [2, 1]


@pytest.mark.parametrize(("rate", "most"), [("0.5", 1), ("5", 1), ("100", 3), ("400", 10)])
def test_no_claim_comes_much_before_its_request_may_go_out(
    store: Store, clock: Clock, rate: str, most: int
) -> None:
    """What was claimed can no more be overtaken, nor cancelled."""
    rules = AccountConfig(rate=Rate.parse(rate), one_at_a_time=False, connections=100)
    store.limiter.publish(rules)
    put(store, 50)
    answer = taken(store, 25)
    after = [claim.after for claim in answer.claims]
    assert 1 <= len(after) <= most
    assert after[0] == 0
    assert after == sorted(set(after))
    assert after[-1] <= AHEAD
    assert answer.again is not None
    assert answer.again > 0
    assert taken(store, 25).claims == ()
    clock.forward(answer.again + 0.002)
    assert len(take(store, 25)) >= 1


def test_no_more_are_claimed_than_the_account_has_connections(store: Store) -> None:
    store.limiter.publish(AccountConfig(connections=3, one_at_a_time=False))
    put(store, 5)
    answer = taken(store)
    assert len(answer.claims) == 3
    assert answer.again is not None
    assert 0 < answer.again < 0.1
    store.calls.settle(answer.claims[0].job.id, 1, placed())
    assert len(take(store)) == 1


def test_nothing_is_claimed_while_a_429_keeps_everything_back(store: Store, clock: Clock) -> None:
    store.limiter.publish(AccountConfig(rate=Rate(20), one_at_a_time=False))
    put(store, 5)
    put(store, 5, priority="urgent")
    store.limiter.throttle(10)
    clock.forward(9.9)
    answer = taken(store)
    assert answer.claims == ()
    assert answer.again == pytest.approx(0.1 - AHEAD, abs=0.002)
    clock.forward(0.1)
    assert take(store)


def test_a_429_keeps_everything_back_where_no_limit_is_known(store: Store, clock: Clock) -> None:
    store.limiter.publish(AccountConfig(one_at_a_time=False))
    put(store, 5)
    store.limiter.throttle(10)
    assert take(store) == []
    clock.forward(9.98)
    claims = taken(store).claims
    assert [claim.after for claim in claims] == [pytest.approx(0.02, abs=0.001)] * 5


def test_only_so_many_are_looked_at_in_one_step(store: Store) -> None:
    """What a hold stops is parked a batch at a time: Redis serves others in between."""
    ids = put(store, 130)
    store.holds.start("credit", "not enough credits", 20)
    answer = taken(store, 2)
    assert (answer.claims, answer.again) == ((), 0)
    assert sum(store.search.counts()[State.HELD].values()) == 100
    assert taken(store, 2).again is None
    assert sum(store.search.counts()[State.HELD].values()) == 130
    job = store.jobs.get(ids[0])
    assert (job.hold_reason, job.timeline[-1].why) == ("credit", "not enough credits")
    assert_sound(snapshot(store))


# -- the same take again -------------------------------------------------------------------


def test_a_take_whose_answer_was_lost_gives_the_same_claims_again(store: Store) -> None:
    put(store, 5)
    first = taken(store, 3, token="t")
    again = taken(store, 3, token="t")
    assert len(first.claims) == 3
    assert [(claim.job, claim.attempt) for claim in again.claims] == [
        (claim.job, claim.attempt) for claim in first.claims
    ]
    assert sum(store.search.counts()[State.DIALING].values()) == 3
    assert len(take(store, 3)) == 2


def test_what_was_settled_since_is_not_given_again(store: Store) -> None:
    put(store, 3)
    done, *rest = (claim.job.id for claim in taken(store, 3, token="t").claims)
    store.calls.settle(done, 1, placed())
    assert take(store, 3, token="t") == rest


def test_what_another_worker_took_over_is_not_given_again(store: Store, clock: Clock) -> None:
    (id_,) = put(store, 1, max_attempts=2)
    taken(store, token="t")
    clock.forward(30)
    store.calls.rescue(300)
    assert taken(store, token="t").claims == ()
    assert store.jobs.get(id_).state is State.UNCERTAIN


# -- what is due ---------------------------------------------------------------------------


def test_due_jobs_come_into_line_in_a_take_and_go_out_in_their_order(
    store: Store, clock: Clock
) -> None:
    late, early, urgent = (
        enqueue(store, at=at, priority=priority)
        for at, priority in ((9, "normal"), (5, "normal"), (10, "urgent"))
    )
    assert taken(store).again == 5
    clock.forward(4)
    assert taken(store).again == 1
    clock.forward(6)
    assert take(store) == [urgent, early, late]
    assert [event.why for event in store.jobs.get(early).timeline][1] == "due"


def test_no_more_come_into_line_than_the_worker_can_dial(store: Store, clock: Clock) -> None:
    ids = [enqueue(store, at=seconds) for seconds in (3, 1, 2)]
    clock.forward(3)
    assert take(store, 2) == [ids[1], ids[2]]
    assert sum(store.search.counts()[State.SCHEDULED].values()) == 1
    assert take(store, 2) == [ids[0]]


def test_a_due_job_whose_deadline_has_passed_expires_in_a_take(store: Store, clock: Clock) -> None:
    id_ = enqueue(store, at=1, expires=5)
    clock.forward(5)
    assert take(store) == []
    assert store.jobs.get(id_).state is State.EXPIRED
    assert_sound(snapshot(store))


# -- against a model -----------------------------------------------------------------------


def expected(jobs: Sequence[tuple[str, Priority, str]]) -> list[str]:
    """Serve jobs `(id, priority, line)`, which all stand in line, one at a time."""
    waiting = sorted(jobs)  # of one moment: oldest first is by id
    had: dict[tuple[Priority, str], int] = first_scores(jobs)
    order = []
    for turn in range(1, len(jobs) + 1):
        there = {priority for _, priority, _ in waiting}
        share = BULK if turn % 20 == 15 else NORMAL if turn % 10 == 0 else URGENT
        priority = share if share in there else min(there, key=list(Priority).index)
        lines = {line for _, of, line in waiting if of is priority}
        line = min(lines, key=lambda name: (had[priority, name], name))
        had[priority, line] += 1
        chosen = next(job for job in waiting if job[1:] == (priority, line))
        waiting.remove(chosen)
        order.append(chosen[0])
    return order


def first_scores(jobs: Sequence[tuple[str, Priority, str]]) -> dict[tuple[Priority, str], int]:
    """The first line of a priority begins at 0, those that come after it one turn behind."""
    had: dict[tuple[Priority, str], int] = {}
    for _, priority, line in jobs:
        others = any(of is priority for of, _ in had)
        had.setdefault((priority, line), int(others))
    return had


@pytest.fixture
def fresh(redis_client: redis.Redis) -> Callable[[], Store]:
    """A store of its own for each example."""
    return lambda: Store(redis_client, namespace=f"take{next(_NUMBERS)}", clock=Clock())


@settings(max_examples=30)
@given(
    wanted=st.lists(
        st.tuples(st.sampled_from(Priority), st.sampled_from(["a", "b", "c"]), st.integers(1, 12)),
        min_size=1,
        max_size=8,
    ),
    at_once=st.integers(1, 25),
)
def test_jobs_are_served_in_the_order_of_the_model_however_many_are_taken_at_once(
    fresh: Callable[[], Store], wanted: list[tuple[Priority, str, int]], at_once: int
) -> None:
    store = fresh()
    jobs = [
        (id_, priority, line)
        for priority, line, many in wanted
        for id_ in put(store, many, actor=line, priority=priority)
    ]
    served = []
    while some := take(store, at_once):
        served += some
    assert served == expected(jobs)
    assert_sound(snapshot(store))


def test_a_line_ends_with_its_last_job_where_urgent_jobs_are_looked_for_after_it(
    store: Store,
) -> None:
    """As under a limit by the minute, when the next slot is too far away."""
    store.limiter.publish(AccountConfig(rate=Rate.parse("60/minute")))
    id_ = enqueue(store)
    assert take(store, 5) == [id_]
    assert_sound(snapshot(store))
