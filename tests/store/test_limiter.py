"""The account's limiter, by example: what asks, when it goes out, and what it waits for."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.store import Store
from dispatcher.store.values import Claim
from dispatcher.values.rate import Rate
from support.claims import Wait, claim_one
from support.clock import Clock
from support.limiter_model import Crowd, Grant, Worker, least_gap
from support.redis_inside import key_of, redis_of
from support.store_jobs import claim, enqueue, placed, warm

RATES = ["30/minute", "90/minute", "5", "200"]


def limit(store: Store, rate: str, **fields: object) -> float:
    """Publish rules with this rate; return it per second."""
    parsed = Rate.parse(rate)
    given: dict[str, Any] = {"one_at_a_time": False, "connections": 1000, **fields}
    store.limiter.publish(AccountConfig(**{"rate": parsed, **given}))
    warm(store)
    return parsed.per_second


def granted(store: Store, holder: str, slot: str = "") -> bool:
    return store.limiter.take_slot(holder, slot) is None


def waiting(store: Store, holder: str, slot: str = "") -> Wait:
    answer = store.limiter.take_slot(holder, slot)
    assert answer is not None
    return answer


def test_each_asker_is_told_a_slot_of_its_own(store: Store, clock: Clock) -> None:
    limit(store, "5", margin=0.0)
    assert granted(store, "a")
    waits = [waiting(store, name) for name in "bcd"]
    assert [wait.seconds for wait in waits] == pytest.approx([0.2, 0.4, 0.6])
    clock.ms += 199
    assert not granted(store, "b", waits[0].slot)
    clock.ms += 1
    assert granted(store, "b", waits[0].slot)
    assert not granted(store, "c", waits[1].slot)


def test_the_first_second_after_a_pause_is_a_tenth_slower(store: Store, clock: Clock) -> None:
    """Connections are made then, and requests arrive less evenly."""
    limit(store, "100", margin=0.0)
    Crowd(store, clock, [Worker("dial")], jobs=1).run(0.5)
    clock.forward(60)
    crowd = Crowd(store, clock, [Worker("dial") for _ in range(4)], jobs=400)
    assert len(crowd.run(1)) == pytest.approx(91, abs=1)
    assert len(crowd.run(1)) == pytest.approx(100, abs=1)


def test_a_request_that_goes_out_late_keeps_those_after_it_away(store: Store, clock: Clock) -> None:
    limit(store, "2", margin=0.0)
    first = claim(store, enqueue(store)).booked
    clock.ms += 500
    claim(store, enqueue(store))
    clock.ms += 100
    store.limiter.rebook(first)  # it went out after the second one, 600 ms late
    clock.ms += 400
    assert not granted(store, "third")  # a second after the first was booked, but not sent
    clock.ms += 500  # a second after the second one
    assert granted(store, "third", str(clock.ms - 500))
    clock.ms += 99  # not yet a second after the first one
    assert not granted(store, "fourth", str(clock.ms))
    clock.ms += 1
    assert granted(store, "fourth", str(clock.ms))


def test_a_slot_whose_owner_died_is_taken_over_where_slots_are_far_apart(
    store: Store, clock: Clock
) -> None:
    limit(store, "5", margin=0.0)
    claim(store, enqueue(store))
    dead, heir, last = (enqueue(store) for _ in range(3))
    assert isinstance(claim_one(store, dead, token="t", lease=30), Wait)
    slots = []
    for id_ in (heir, last):
        answer = claim_one(store, id_, token="t", lease=30)
        assert isinstance(answer, Wait)
        assert answer.seconds <= 0.1  # it comes to look before its own slot
        slots.append(answer.slot)
    clock.ms += 240  # the dead one's slot was at 200
    assert isinstance(claim_one(store, heir, token="t", lease=30, slot=slots[0]), Wait)
    clock.ms += 40
    assert isinstance(claim_one(store, heir, token="t", lease=30, slot=slots[0]), Claim)
    clock.ms += 10
    assert isinstance(claim_one(store, last, token="t", lease=30, slot=slots[1]), Wait)


def test_who_missed_its_turn_and_finds_no_room_stands_in_line_anew(
    store: Store, clock: Clock
) -> None:
    """Else all who were held up would race for each place, and an urgent one among them might lose
    again and again.
    """
    limit(store, "5", margin=0.0)
    for holder in "abcde":
        assert granted(store, holder)
        clock.ms += 200
    assert granted(store, "f")
    held_up = [waiting(store, holder).slot for holder in "ghij"]
    clock.ms += (
        700  # a machine that stood still: the slots of three have passed, and of one more a bit
    )
    assert all(
        granted(store, holder, slot) for holder, slot in zip("jih", held_up[:0:-1], strict=True)
    )
    anew = waiting(store, "g", held_up[0])
    assert float(anew.slot) > clock.ms
    assert float(waiting(store, "k").slot) >= float(anew.slot) + 200


def test_places_are_taken_over_though_the_clock_stepped_back(store: Store, clock: Clock) -> None:
    limit(store, "5", margin=0.0)
    assert granted(store, "a")
    clock.forward(-3600)
    redis_of(store).delete(key_of(store, "recent"))
    redis_of(store).hset(key_of(store, "pace"), "next_slot", round(clock.ms * 1000))
    assert granted(store, "b")
    _dead, heir = waiting(store, "dead"), waiting(store, "heir")
    clock.ms += 280  # the dead one's place was at 200
    assert granted(store, "heir", heir.slot)


def test_a_place_is_taken_over_only_by_one_that_goes_out(store: Store, clock: Clock) -> None:
    limit(store, "5", margin=0.0)
    for holder in "abcde":
        assert granted(store, holder)
        clock.ms += 200
    store.limiter.rebook("")  # one more goes out late: there is no room for a while
    slots = [waiting(store, holder).slot for holder in "fgh"]
    clock.ms += 150
    again = [waiting(store, holder, slot) for holder, slot in zip("fgh", slots, strict=True)]
    assert [wait.slot for wait in again] == slots


def test_idle_time_saves_nothing_up(store: Store, clock: Clock) -> None:
    limit(store, "5")
    granted(store, "a")
    clock.forward(3600)
    assert granted(store, "b")
    assert not granted(store, "c")


def test_one_that_sleeps_in_does_not_push_the_others_over_the_limit(
    store: Store, clock: Clock
) -> None:
    rate = limit(store, "5")
    late = [Worker("dial", [3000.0 - 150 * n]) for n in range(8)]
    crowd = Crowd(store, clock, [Worker("dial"), *late], jobs=200)
    assert len(crowd.run(20)) > 80
    assert least_gap(crowd.grants, rate) >= 1


def test_all_who_slept_in_after_a_429_keep_to_the_limit_of_a_slower_rate_and_of_the_full_one(
    store: Store, clock: Clock
) -> None:
    rate = limit(store, "5", recovery=10**6)
    store.limiter.throttle(0)
    assert granted(store, "first")
    slots = {f"check-{n}": waiting(store, f"check-{n}").slot for n in range(11)}
    clock.forward(60)
    grants = []
    for _ in range(4000):
        for holder in list(slots):
            if granted(store, holder, slots[holder]):
                grants.append(Grant(clock.ms, "check"))
                del slots[holder]
        clock.ms += 5
        if not slots:
            break
    assert len(grants) == 11
    assert least_gap(grants, rate) >= 1
    assert least_gap(grants, 3.5) >= 1


@pytest.mark.parametrize("share", [0.1, 0.15, 0.3])
def test_a_share_that_is_no_whole_number_of_slots_is_had_in_full(
    store: Store, clock: Clock, share: float
) -> None:
    limit(store, "5", share=share)
    workers = [Worker("check"), Worker("check"), *(Worker("dial") for _ in range(4))]
    grants = Crowd(store, clock, workers, jobs=250).run(40)
    of_checks = sum(grant.kind == "check" for grant in grants)
    assert share * len(grants) - 1 <= of_checks <= share * len(grants) + 2


def test_a_job_that_waits_for_its_slot_spends_nothing_and_is_still_cancelled(store: Store) -> None:
    limit(store, "0.5")
    claim(store, enqueue(store))
    id_ = enqueue(store)
    answer = claim_one(store, id_, token="t", lease=30)
    assert isinstance(answer, Wait)
    job = store.jobs.get(id_)
    assert (job.state, job.spent, job.attempts) == ("queued", 0, ())
    store.jobs.cancel(id_, actor="cli")
    assert claim_one(store, id_, token="t", lease=30, slot=answer.slot) == "cancelled"


@pytest.mark.parametrize("checks", [1, 30])
@pytest.mark.parametrize("rate", RATES)
def test_checks_have_their_share_and_no_more_while_jobs_wait(
    store: Store, clock: Clock, rate: str, checks: int
) -> None:
    per_second = limit(store, rate)
    workers = [*(Worker("check") for _ in range(checks)), *(Worker("dial") for _ in range(4))]
    grants = Crowd(store, clock, workers, jobs=250).run(200 / per_second)
    of_checks = sum(grant.kind == "check" for grant in grants)
    assert 0.98 * 200 <= len(grants) <= 201
    assert 19 <= of_checks <= 22
    first = [grant.kind for grant in grants[:40]]
    assert first.count("dial") >= 40 * 0.8


@pytest.mark.parametrize("rate", RATES)
def test_checks_have_everything_while_no_job_waits(store: Store, clock: Clock, rate: str) -> None:
    per_second = limit(store, rate)
    grants = Crowd(store, clock, [Worker("check"), Worker("check")], jobs=0).run(100 / per_second)
    assert len(grants) >= 98


def test_a_full_share_is_no_hindrance_when_the_last_job_has_gone(
    store: Store, clock: Clock
) -> None:
    limit(store, "5", margin=0.0)
    id_ = enqueue(store)
    assert granted(store, "a")
    assert waiting(store, "b").slot == ""
    store.jobs.cancel(id_, actor="cli")
    assert waiting(store, "b").seconds == pytest.approx(0.2)


def test_no_more_requests_are_under_way_than_there_are_connections(
    store: Store, clock: Clock
) -> None:
    store.limiter.publish(AccountConfig(connections=2, lease=64, one_at_a_time=False))
    id_, other = enqueue(store), enqueue(store)
    claim(store, id_)
    assert granted(store, "check")
    assert isinstance(claim_one(store, other, token="t", lease=30), Wait)
    store.calls.settle(id_, 1, placed())
    assert isinstance(claim_one(store, other, token="t", lease=30), Claim)
    assert not granted(store, "another check")
    store.limiter.give_back("check")
    assert granted(store, "another check")


def test_the_connection_of_a_crashed_process_comes_back_after_its_lease(
    store: Store, clock: Clock
) -> None:
    store.limiter.publish(AccountConfig(connections=1, lease=64))
    assert granted(store, "crashed")
    clock.forward(63.999)
    assert not granted(store, "next")
    clock.forward(0.001)
    assert granted(store, "next")


def test_a_slot_is_kept_while_all_connections_are_taken(store: Store, clock: Clock) -> None:
    limit(store, "5", connections=1)
    assert granted(store, "slow")
    slot = waiting(store, "b").slot
    clock.forward(10)
    answer = waiting(store, "b", slot)
    assert answer.slot == slot
    assert answer.seconds == pytest.approx(0.02)
    store.limiter.give_back("slow")
    assert granted(store, "b", slot)


def test_a_late_answer_of_an_older_attempt_gives_back_no_connection(
    store: Store, clock: Clock
) -> None:
    store.limiter.publish(AccountConfig(connections=1, one_at_a_time=False))
    id_ = enqueue(store)
    claim(store, id_)
    clock.forward(30)
    store.calls.rescue(300)
    store.jobs.cancel(id_, actor="cli")
    store.jobs.retry(id_, actor="cli")
    claim(store, id_)
    store.calls.settle(id_, 1, placed("late"))
    assert not granted(store, "check")


def test_without_a_limit_only_connections_and_a_429_are_waited_for(
    store: Store, clock: Clock
) -> None:
    store.limiter.publish(AccountConfig(rate=None, connections=1000))
    assert all(granted(store, f"check-{n}") for n in range(500))
    store.limiter.throttle(3)
    assert waiting(store, "late").seconds == pytest.approx(3)
    assert store.limiter.pace().working_rate is None
    clock.forward(3)
    assert all(granted(store, f"later-{n}") for n in range(500))


@pytest.mark.parametrize("rate", RATES)
def test_nothing_goes_out_before_the_moment_the_provider_named(
    store: Store, clock: Clock, rate: str
) -> None:
    per_second = limit(store, rate)
    crowd = Crowd(store, clock, [Worker("dial")] * 5 + [Worker("check")] * 5, jobs=300)
    crowd.run(10 / per_second)
    store.limiter.throttle(7)
    assert crowd.run(6.999) == []
    assert crowd.run(0.002 + 2 / per_second)


def test_a_herd_of_429s_slows_down_once_and_the_longest_wait_counts(
    store: Store, clock: Clock
) -> None:
    limit(store, "10")
    for wait in (2, 9, 4):
        store.limiter.throttle(wait)
        clock.forward(0.1)
    assert store.limiter.pace().working_rate == pytest.approx(7, abs=0.01)
    assert store.limiter.pace().next_slot == pytest.approx(8.8)


def test_the_working_rate_keeps_a_tenth_and_comes_back_within_the_recovery(
    store: Store, clock: Clock
) -> None:
    limit(store, "10", recovery=600)
    for _ in range(20):
        store.limiter.throttle(0)
        clock.forward(1.001)
    assert store.limiter.pace().working_rate == pytest.approx(1, abs=0.05)
    seen = []
    for _ in range(12):
        clock.forward(60)
        seen.append(store.limiter.pace().working_rate or 0)
    assert seen == sorted(seen)
    assert seen[4] < 10
    assert seen[-2:] == [10, 10]


def test_a_clock_that_steps_back_after_a_429_leaves_a_rate_to_work_with(
    store: Store, clock: Clock
) -> None:
    limit(store, "10", recovery=10)
    store.limiter.throttle(0)
    clock.forward(-60)
    assert store.limiter.pace().working_rate == pytest.approx(7)
