"""Answers that are written together: one step, and each of them judged by itself."""

from __future__ import annotations

from dataclasses import replace

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.states import State
from dispatcher.provider import AnswerLost, BadCredentials, InvalidRequest, Throttled, Unavailable
from dispatcher.store import Store
from dispatcher.store.calls import Answer, Settled
from support.claims import take
from support.clock import Clock
from support.store_jobs import assert_sound, claim, enqueue, placed, refused, snapshot, states


def test_many_are_written_in_one_step_each_judged_by_itself(store: Store, clock: Clock) -> None:
    good, late, other, mine, refused_ = (enqueue(store) for _ in range(5))
    claims = {id_: claim(store, id_, f"token-{id_}") for id_ in (good, late, other, mine, refused_)}
    store.calls.settle(late, 1, refused(InvalidRequest("no"), claims[late].job))
    store.calls.settle(other, 1, placed("call-first"))
    clock.forward(1)
    unavailable = refused(Unavailable("503"), claims[refused_].job)
    told = store.calls.settle_many(
        [
            Answer(late, 1, placed("call-late")),
            Answer(good, 1, placed("call-good")),
            Answer("nosuchjob", 1, placed("call-nobodys")),
            Answer(other, 1, placed("call-second")),
            Answer(mine, 1, placed("call-mine"), token="another's"),
            Answer(refused_, 1, unavailable, token=f"token-{refused_}"),
        ]
    )
    assert told == [
        Settled(in_time=False, state=State.FAILED),
        Settled(in_time=True, state=State.IN_PROGRESS),
        Settled(in_time=False, state=None),
        Settled(in_time=False, state=State.IN_PROGRESS),
        Settled(in_time=False, state=State.DIALING),
        Settled(in_time=True, state=State.SCHEDULED),
    ]
    assert store.jobs.id_of_call("call-good") == good
    assert store.jobs.id_of_call("call-nobodys") is None
    assert store.jobs.id_of_call("call-mine") is None
    assert store.statistics.counters()["second_calls"] == 1
    assert store.jobs.get(mine).timeline[-1].to == "dialing"
    assert_sound(snapshot(store))


def test_many_that_are_written_twice_are_written_once(store: Store) -> None:
    ids = [enqueue(store) for _ in range(3)]
    for id_ in ids:
        claim(store, id_)
    answers = [Answer(id_, 1, placed(f"call-{id_}")) for id_ in ids]
    assert [each.in_time for each in store.calls.settle_many(answers)] == [True] * 3
    before = snapshot(store)
    again = store.calls.settle_many(answers)
    assert again == [Settled(in_time=False, state=State.IN_PROGRESS)] * 3
    assert snapshot(store) == before


def test_half_a_character_in_what_a_provider_said_stops_no_other_answer(store: Store) -> None:
    odd, good = enqueue(store), enqueue(store)
    for id_ in (odd, good):
        claim(store, id_)
    said = replace(placed("call-1"), why="fire \ud800!")
    told = store.calls.settle_many([Answer(odd, 1, said), Answer(good, 1, placed("call-2"))])
    assert [each.in_time for each in told] == [True, True]
    assert store.jobs.get(odd).timeline[-1].why == "fire ?!"


def test_one_job_s_answers_follow_one_another_in_one_step(store: Store) -> None:
    id_ = enqueue(store)
    made = claim(store, id_)
    told = store.calls.settle_many(
        [
            Answer(id_, 1, refused(AnswerLost("cut"), made.job)),
            Answer(id_, 1, placed("call-7"), "callback"),
        ]
    )
    assert told == [
        Settled(in_time=True, state=State.UNCERTAIN),
        Settled(in_time=True, state=State.IN_PROGRESS),
    ]
    job = store.jobs.get(id_)
    assert job.spent == 1
    assert states(job) == ["queued", "dialing", "uncertain", "in_progress"]
    assert [event.actor for event in job.timeline][2:] == ["worker", "callback"]


def test_a_refusal_among_many_holds_what_comes_after_and_not_what_was_said_beside_it(
    store: Store,
) -> None:
    first, second, third = (enqueue(store) for _ in range(3))
    claims = [claim(store, id_) for id_ in (first, second)]
    told = store.calls.settle_many(
        [
            Answer(first, 1, refused(BadCredentials("401"), claims[0].job)),
            Answer(second, 1, placed("call-2")),
        ]
    )
    assert [each.state for each in told] == [State.HELD, State.IN_PROGRESS]
    assert [hold.name for hold in store.holds.all()] == ["auth"]
    assert take(store) == []
    assert store.jobs.get(third).state is State.HELD


def test_of_many_the_longest_wait_that_the_provider_asked_for_counts(
    store: Store, clock: Clock
) -> None:
    claims = [claim(store, enqueue(store)) for _ in range(3)]
    enqueue(store, priority="urgent")
    told = store.calls.settle_many(
        [
            Answer(each.job.id, 1, refused(Throttled("429", retry_after=wait), each.job))
            for each, wait in zip(claims, (2, 9, 4), strict=True)
        ]
    )
    assert {each.state for each in told} == {State.SCHEDULED}
    clock.forward(8.9)
    assert take(store) == []
    clock.forward(0.1)
    assert len(take(store)) >= 1


def test_connections_come_back_one_for_each_that_is_written(store: Store) -> None:
    store.limiter.publish(AccountConfig(connections=3, one_at_a_time=False))
    for _ in range(6):
        enqueue(store)
    claimed = take(store)
    assert (len(claimed), take(store)) == (3, [])
    store.calls.settle_many([Answer(id_, 1, placed(f"call-{id_}")) for id_ in claimed[:2]])
    assert len(take(store)) == 2
