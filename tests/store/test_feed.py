"""Which job a message goes out for: by priority, in turn between lines, only what can be served."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.states import Priority, State
from dispatcher.store import Store
from dispatcher.store.holds import PauseScope
from dispatcher.store.queue import LOST_AFTER
from dispatcher.store.values import Pumped, Wait
from dispatcher.values.rate import Rate
from support.clock import Clock
from support.store_jobs import assert_sound, claim, enqueue, placed, request, snapshot, window

_NUMBERS = itertools.count()
URGENT, NORMAL, BULK = Priority


def put(store: Store, many: int, actor: str = "producer", **fields: Any) -> list[str]:
    return [done.id for done in store.jobs.enqueue_many([request(**fields)] * many, actor=actor)]


def turns(store: Store, many: int) -> list[str]:
    """Feed and claim one after another, as a limiter of one at a time would have it."""
    window(store, 1)
    served = []
    for _ in range(many):
        for id_, _ in store.queue.feed(1):
            claim(store, id_)
            served.append(id_)
    return served


def priorities(store: Store, many: int) -> list[Priority]:
    return [store.jobs.get(id_).priority for id_ in turns(store, many)]


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


def test_a_flood_of_urgent_jobs_that_fills_all_room_leaves_the_others_their_shares(
    store: Store,
) -> None:
    window(store, 4)
    for priority in Priority:
        put(store, 200, priority=priority)
    served, out = [], []
    for _ in range(100):
        out += store.queue.feed(1)  # urgent ones fill twice the room
        if len(out) > 7:
            id_, priority = out.pop(0)
            claim(store, id_)
            served.append(priority)
    assert served.count(NORMAL) >= 9
    assert served.count(BULK) >= 4


def test_feeds_that_find_no_room_take_nobodys_turn(store: Store) -> None:
    put(store, 60, priority="normal")
    put(store, 60, priority="bulk")
    window(store, 1)
    served = []
    for _ in range(40):
        ((id_, priority),) = store.queue.feed()
        served.append(priority)
        assert store.queue.feed() == []
        claim(store, id_)
    assert served.count(BULK) == 2


def test_an_urgent_job_goes_out_while_the_window_is_full_of_bulk(store: Store) -> None:
    window(store, 4)
    put(store, 10, priority="bulk")
    assert len(store.queue.feed()) == 4
    (urgent,) = put(store, 1, priority="urgent")
    assert store.queue.feed() == [(urgent, URGENT)]
    put(store, 10, priority="urgent")
    assert len(store.queue.feed()) == 3


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
    assert sorted(id_ for id_, _ in store.queue.feed()) == sorted(ids)
    assert store.queue.feed() == []
    assert_sound(snapshot(store))


# -- how much is out -----------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "most"), [("0.5", 2), ("5", 3), ("20", 6), ("100", 26)])
def test_about_a_quarter_of_a_second_of_work_is_out(store: Store, rate: str, most: int) -> None:
    store.limiter.publish(AccountConfig(rate=Rate.parse(rate)))
    put(store, 50)
    assert len(store.queue.feed()) == most
    assert store.queue.feed() == []


def test_messages_that_nobody_took_up_hold_no_place_for_long(store: Store, clock: Clock) -> None:
    """They went to a worker that died: the others must not stand still until they are sent anew."""
    window(store, 2)
    put(store, 20)
    first = store.queue.feed()
    clock.forward(0.5)
    assert (len(first), store.queue.feed()) == (2, [])
    clock.forward(0.1)
    second = store.queue.feed()
    assert len(second) == 2
    assert not set(first) & set(second)


def test_without_a_worker_only_so_many_messages_go_out(store: Store, clock: Clock) -> None:
    window(store, 2)
    put(store, 20)
    sent = 0
    for _ in range(20):
        sent += len(store.queue.feed())
        clock.forward(0.6)
    assert sent == 8


def test_one_that_waits_for_its_slot_keeps_its_place(store: Store, clock: Clock) -> None:
    store.limiter.publish(AccountConfig(rate=Rate(2), one_at_a_time=False))
    put(store, 4)
    (going, _), (waiting, _) = store.queue.feed()
    claim(store, going)
    answer = store.queue.claim(waiting, token="t", lease=30)
    assert isinstance(answer, Wait)
    clock.ms += 620  # longer than a message may lie about
    assert len(store.queue.feed()) == 1  # for the one that has gone


def test_without_a_limit_the_pace_that_was_seen_says_how_much_is_out(
    store: Store, clock: Clock
) -> None:
    store.limiter.publish(AccountConfig(rate=None, connections=8, one_at_a_time=False))
    put(store, 400)
    before = [id_ for id_, _ in store.queue.feed()]
    assert len(before) == 16
    for _ in range(10):
        for id_ in before:
            claim(store, id_)
            store.calls.settle(id_, 1, placed())
            clock.ms += 5  # 200 a second
        before = [id_ for id_, _ in store.queue.feed()]
    assert len(before) == pytest.approx(50, abs=5)


def test_nothing_goes_out_while_a_429_keeps_everything_back(store: Store, clock: Clock) -> None:
    store.limiter.publish(AccountConfig(rate=Rate(20)))
    put(store, 5)
    put(store, 5, priority="urgent")
    store.limiter.throttle(10)
    clock.forward(9.4)
    assert store.queue.feed() == []
    clock.forward(0.1)
    assert store.queue.feed()


def test_a_429_keeps_everything_back_where_no_limit_is_known(store: Store, clock: Clock) -> None:
    store.limiter.publish(AccountConfig())
    put(store, 5)
    store.limiter.throttle(10)
    assert store.queue.feed() == []
    clock.forward(9.5)
    assert len(store.queue.feed()) == 5


# -- what is out but not dialled -----------------------------------------------------------


def out(store: Store, **fields: Any) -> str:
    (id_,) = put(store, 1, **fields)
    assert [dispatched for dispatched, _ in store.queue.feed()] == [id_]
    return id_


def test_what_is_out_is_cancelled_at_once(store: Store) -> None:
    id_ = out(store)
    store.jobs.cancel(id_, actor="cli")
    assert store.queue.claim(id_, token="t", lease=30) is State.CANCELLED


@pytest.mark.parametrize(
    "scope", [PauseScope(), PauseScope(tag="x"), PauseScope(priority=BULK)], ids=str
)
def test_what_is_out_is_paused_at_once(store: Store, scope: PauseScope) -> None:
    id_ = out(store, tags=["x"], priority="bulk")
    store.holds.pause(scope, actor="kim")
    assert store.queue.claim(id_, token="t", lease=30) is State.HELD
    assert store.jobs.get(id_).attempts == ()


def test_what_is_out_expires_at_its_deadline(store: Store, clock: Clock) -> None:
    id_ = out(store, expires=5)
    clock.forward(5)
    assert store.queue.claim(id_, token="t", lease=30) is State.EXPIRED


def test_what_is_out_goes_out_anew_by_its_new_priority(store: Store) -> None:
    window(store, 1)
    out(store, priority="bulk")
    (id_,) = put(store, 1, priority="bulk")
    assert store.queue.feed() == []
    store.jobs.prioritise(id_, URGENT, actor="cli")
    assert store.queue.feed() == [(id_, URGENT)]
    store.jobs.prioritise(id_, BULK, actor="cli")
    assert store.queue.feed() == []
    assert claim(store, id_).job.priority is BULK
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
    return lambda: Store(redis_client, namespace=f"feed{next(_NUMBERS)}", clock=Clock())


@settings(max_examples=30)
@given(
    wanted=st.lists(
        st.tuples(st.sampled_from(Priority), st.sampled_from(["a", "b", "c"]), st.integers(1, 12)),
        min_size=1,
        max_size=8,
    )
)
def test_jobs_are_served_in_the_order_of_the_model(
    fresh: Callable[[], Store], wanted: list[tuple[Priority, str, int]]
) -> None:
    store = fresh()
    jobs = [
        (id_, priority, line)
        for priority, line, many in wanted
        for id_ in put(store, many, actor=line, priority=priority)
    ]
    assert turns(store, len(jobs)) == expected(jobs)
    assert_sound(snapshot(store))


def test_the_most_urgent_are_fed_first_and_the_oldest_of_these(store: Store, clock: Clock) -> None:
    ids = {}
    for name, priority in (("b", "bulk"), ("n1", "normal"), ("n2", "normal"), ("u", "urgent")):
        ids[name] = enqueue(store, priority=priority)
        clock.forward(1)
    assert store.queue.feed() == [
        (ids["u"], Priority.URGENT),
        (ids["n1"], Priority.NORMAL),
        (ids["n2"], Priority.NORMAL),
        (ids["b"], Priority.BULK),
    ]
    assert store.queue.feed() == []


def test_no_more_are_out_at_a_time_than_the_window_allows(store: Store) -> None:
    window(store, 2)
    for _ in range(4):
        enqueue(store)
    dispatched = store.queue.feed()
    assert len(dispatched) == 2
    assert store.queue.feed() == []
    claim(store, dispatched[0][0])
    assert len(store.queue.feed()) == 1


def test_no_more_are_fed_than_asked_for(store: Store) -> None:
    for priority in ("urgent", "urgent", "normal"):
        enqueue(store, priority=priority)
    assert [len(store.queue.feed(2)), len(store.queue.feed(2))] == [2, 1]


def test_an_urgent_job_overtakes_a_backlog(store: Store, clock: Clock) -> None:
    window(store, 1)
    first = enqueue(store, priority="bulk")
    clock.forward(1)
    enqueue(store, priority="bulk")
    assert [id_ for id_, _ in store.queue.feed()] == [first]
    clock.forward(5)
    urgent = enqueue(store, priority="urgent")
    claim(store, first)
    assert [id_ for id_, _ in store.queue.feed()] == [urgent]


def test_a_message_that_nobody_took_up_is_sent_again(store: Store, clock: Clock) -> None:
    id_ = enqueue(store)
    store.queue.feed()
    clock.forward(LOST_AFTER - 0.001)
    assert store.queue.pump() == Pumped(0, 0, 0, 0)
    clock.forward(0.001)
    assert store.queue.pump().lost == 1
    assert store.queue.feed() == [(id_, Priority.NORMAL)]
    assert_sound(snapshot(store))


def test_the_ready_are_parked_a_batch_at_a_time_while_a_gate_is_closed(store: Store) -> None:
    ids = [enqueue(store) for _ in range(3)]
    store.holds.start("credit", "not enough credits", 20)
    assert store.queue.feed(2) == []
    assert sorted(store.jobs.get(id_).state for id_ in ids) == ["held", "held", "queued"]
    assert store.queue.feed(2) == []
    job = store.jobs.get(ids[0])
    assert (job.hold_reason, job.timeline[-1].why) == ("credit", "not enough credits")
    assert_sound(snapshot(store))
