"""How a chain moves: who is called next, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dispatcher.model.alert import AlertReason
from dispatcher.model.on_call import Chain, Step
from dispatcher.policy.chain_book import MOST_CALLS
from dispatcher.policy.chain_values import Ring, Stage
from support.chain_world import BEGAN, Goes, World, people, person

MINUTE = timedelta(minutes=1)
ANSWERED = Goes(ends=Stage.ANSWERED)


def steps(*all_: Step, **rules: Any) -> Chain:
    return Chain(steps=all_, **rules)


def one(*names: str, **how: Any) -> Step:
    return Step(call=names, **how)


def times_of(world: World) -> list[float]:
    return [(at - BEGAN).total_seconds() for at, _ in world.rings]


def test_the_next_step_is_called_when_the_one_before_did_not_answer() -> None:
    world = World(steps(one("ann"), one("bob")), people("ann", "bob"))
    assert world.play().reason is AlertReason.NOBODY_ANSWERED
    assert world.called() == ["ann", "bob"]
    assert times_of(world) == [0, 21]


def test_a_step_is_gone_through_as_often_as_it_says_and_then_waits() -> None:
    chain = steps(one("ann", times=2, every=MINUTE, wait=2 * MINUTE), one("bob"))
    world = World(chain, people("ann", "bob"))
    world.play()
    assert times_of(world) == [0, 21 + 60, 21 + 60 + 21 + 120]


def test_the_chain_is_gone_through_again_as_often_as_it_says() -> None:
    world = World(steps(one("ann"), one("bob"), repeat=3), people("ann", "bob"))
    world.play()
    assert world.called() == ["ann", "bob"] * 3
    assert [ring.round for _, ring in world.rings] == [1, 1, 2, 2, 3, 3]


def test_all_of_a_step_are_called_at_once_and_each_of_a_list_in_turn() -> None:
    team = {**people("ann", "bob"), "dba": [person("ann"), person("bob")]}
    at_once = World(steps(one("dba")), team)
    at_once.play()
    in_turn = World(steps(Step(call_in_turn=("dba",))), team)
    in_turn.play()
    assert (times_of(at_once), times_of(in_turn)) == ([0, 0], [0, 21])


def test_who_is_named_twice_is_called_once() -> None:
    team = {**people("ann", "bob"), "dba": [person("ann"), person("bob")]}
    for step in (one("ann", "dba", "bob"), Step(call_in_turn=("ann", "dba", "bob"))):
        world = World(steps(step), team)
        world.play()
        assert world.called() == ["ann", "bob"]


def test_the_numbers_of_a_person_are_called_one_after_another() -> None:
    world = World(steps(one("ann", "bob")), {"ann": [person("ann", 3)], **people("bob")})
    world.play()
    assert world.called() == ["ann", "bob", "ann", "ann"]
    assert len({ring.to for _, ring in world.rings}) == 4


def test_after_an_answer_nobody_is_called_until_the_time_to_acknowledge_is_over() -> None:
    chain = steps(one("ann", times=2), one("bob"), repeat=2)
    world = World(
        chain, people("ann", "bob"), lambda number, _: ANSWERED if number == 1 else Goes()
    )
    assert world.play().reason is AlertReason.NOBODY_ACKNOWLEDGED
    assert world.called() == ["ann", "bob", "ann", "ann", "bob"]  # in the next round again
    assert times_of(world)[1] == 21 + 300


def test_an_answer_is_enough_where_the_chain_says_so() -> None:
    chain = steps(one("ann"), one("bob"), one("eve"), until="answered")
    goes = [Goes(), ANSWERED]
    world = World(chain, people("ann", "bob", "eve"), lambda number, _: goes[number - 1])
    assert world.play().by == "bob"
    assert world.called() == ["ann", "bob"]


def test_an_answer_that_is_told_late_counts_as_well() -> None:
    """A call that lasts longer than the chain waits: its answer keeps the others from a call."""
    chain = steps(one("ann"), one("bob"), one("eve"), until="answered")
    goes = [Goes(lasts=130, ends=Stage.ANSWERED), Goes(lasts=300)]
    world = World(chain, people("ann", "bob", "eve"), lambda number, _: goes[number - 1])
    assert world.play().by == "ann"
    assert world.called() == ["ann", "bob"]


def test_a_call_that_is_not_over_in_time_does_not_keep_the_chain() -> None:
    goes = [Goes(waits=500), Goes(lasts=500), Goes()]
    chain = steps(one("ann"), one("bob"), one("eve"))
    world = World(chain, people("ann", "bob", "eve"), lambda number, _: goes[number - 1])
    world.play()
    assert times_of(world) == [0, 120, 240]
    assert world.made[0].why == "cancelled"
    assert "the call to ann was not dialled within 2 min: the chain goes on" in world.lines
    assert "the call to bob is not over after 2 min: the chain goes on" in world.lines


def test_the_end_waits_for_a_call_that_is_under_way() -> None:
    slow = Goes(lasts=130, ends=Stage.ANSWERED)
    world = World(steps(one("ann"), until="answered"), people("ann"), lambda *_: slow)
    assert world.play().by == "ann"


def test_nobody_gets_a_second_call_while_the_first_is_not_over() -> None:
    chain = steps(one("ann", times=3, every=timedelta(0)), one("bob"))
    goes = [Goes(lasts=150), Goes(lasts=1000), Goes()]
    world = World(chain, people("ann", "bob"), lambda number, _: goes[min(number, 3) - 1])
    world.play()
    assert world.called() == ["ann", "ann", "bob"]
    assert times_of(world)[:2] == [0, 151]
    assert "ann is not called: an earlier call to them is not over" in world.lines


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ({}, "ann is not called: that stands for nobody now"),
        ({"ann": [person("ann", why_not="outside her hours")]}, "outside her hours"),
        ({"ann": [person("ann", 0)]}, "the contact has no number"),
    ],
)
def test_who_cannot_be_called_is_named_and_the_chain_goes_on_at_once(who: Any, said: str) -> None:
    chain = steps(one("ann", times=3, every=MINUTE, wait=MINUTE), one("bob"))
    world = World(chain, {**who, **people("bob")})
    world.play()
    assert world.called() == ["bob"]
    assert times_of(world)[-1] == 0
    assert any(said in line for line in world.lines)


def test_a_number_that_is_refused_is_named_and_the_next_one_called_at_once() -> None:
    def goes(number: int, _: Ring) -> Goes:
        return Goes(ends=Stage.SKIPPED) if number == 1 else Goes()

    world = World(steps(one("ann", wait=MINUTE), one("bob")), people("ann", "bob"), goes)
    world.play()
    assert times_of(world) == [0, 0.001]
    assert "ann is not called: refused" in world.lines


def test_a_chain_that_has_nobody_to_call_ends_at_once_and_says_so() -> None:
    world = World(steps(one("ann", times=5), one("bob"), repeat=20), {})
    assert world.play().reason is AlertReason.NOBODY_TO_CALL
    assert (world.looks, world.now) == (1, BEGAN)


def test_a_chain_without_steps_ends() -> None:
    assert World(Chain.model_construct(steps=()), {}).play().reason is AlertReason.NOBODY_TO_CALL


def test_the_calls_of_one_alert_are_bounded() -> None:
    names = [f"p{place}" for place in range(40)]
    world = World(steps(one(*names), repeat=20), people(*names))
    world.play()
    assert len(world.made) == MOST_CALLS


def test_while_nobody_can_be_called_the_chain_waits_and_then_goes_on() -> None:
    def change(world: World) -> None:
        minutes = (world.now - BEGAN).total_seconds() / 60
        world.hold = "credit" if minutes < 60 else ""

    chain = steps(one("ann"), one("bob"))
    world = World(chain, people("ann", "bob"), lambda *_: Goes(waits=3610), change)
    world.play()
    assert times_of(world)[0] == 0  # in line, for when calls are possible
    assert world.called() == ["ann", "bob"]
    assert world.lines[0] == "nobody can be called: credit; the chain waits until that is over"
    assert sum("nobody can be called" in line for line in world.lines) == 1
    assert world.lines[1] == "ann is called when that is possible"
    assert "calls are possible again: the chain goes on" in world.lines
    assert world.made[0].why == "over"  # and not cancelled


def test_a_call_that_had_no_chance_gets_its_time_again() -> None:
    """No process ran for ten minutes: the job of the call waits as it did before."""
    world = World(steps(one("ann")), people("ann"), lambda *_: Goes(waits=630))
    world.look()
    world.now += timedelta(minutes=10)
    world.play()
    assert world.made[0].why == "over"


def test_a_call_that_no_worker_takes_keeps_the_chain_from_going_through_its_people() -> None:
    """Nobody would take the call to the next person either."""
    goes = [Goes(waits=1500, in_line=True), Goes()]
    chain = steps(one("ann"), one("bob"))
    world = World(chain, people("ann", "bob"), lambda number, _: goes[number - 1])
    world.play()
    assert times_of(world) == [0, 1520]
    assert world.made[0].why == "over"
    said = "no worker takes the call to ann: the chain waits"
    assert world.lines.count(said) == 1


def test_a_call_that_a_worker_takes_at_last_has_its_time_to_be_answered() -> None:
    goes = [Goes(waits=1500, lasts=100, in_line=True), Goes()]
    chain = steps(one("ann"), one("bob"))
    world = World(chain, people("ann", "bob"), lambda number, _: goes[number - 1])
    world.play()
    assert times_of(world) == [0, 1600]


def test_people_who_cannot_be_called_are_named_once_and_not_for_each_time_of_a_step() -> None:
    world = World(steps(one("ann", times=10), one("bob")), people("bob"))
    world.play()
    assert sum(line.startswith("ann is not called") for line in world.lines) == 1


def test_a_call_that_no_worker_ever_takes_does_not_keep_the_chain_for_good() -> None:
    stuck = Goes(waits=1e6, in_line=True)
    world = World(steps(one("ann"), one("bob")), people("ann", "bob"), lambda *_: stuck)
    assert world.play().reason is AlertReason.NOBODY_ANSWERED
    assert times_of(world)[1] == pytest.approx(1800, abs=31)


def test_a_clock_that_is_set_back_does_not_make_the_chain_wait_for_as_long() -> None:
    chain = steps(one("ann", times=2, every=MINUTE))
    world = World(chain, people("ann"), lambda *_: Goes(waits=1e6))
    world.look()
    world.now -= timedelta(days=1)
    began = world.now
    world.play()
    assert world.now - began < timedelta(minutes=10)


def test_who_was_called_before_the_chain_began_anew_does_not_count() -> None:
    world = World(steps(one("ann"), until="answered"), people("ann"), lambda *_: ANSWERED)
    assert world.play().by == "ann"
    world.position, world.end = None, None
    world.goes = lambda *_: Goes()
    assert world.play().reason is AlertReason.NOBODY_ANSWERED
    assert world.called() == ["ann", "ann"]
