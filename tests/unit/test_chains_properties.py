"""What holds of every chain, whoever is on it and however their calls go."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.model.alert import AlertReason
from dispatcher.model.on_call import Chain, Person, Step
from dispatcher.policy.chain_values import Ring, Stage
from support.chain_world import Goes, World, person

NAMES = ("ann", "bob", "eve", "kim")
TEAM = "team"
PAUSES = st.sampled_from([timedelta(0), timedelta(seconds=30), timedelta(minutes=10)])
LENGTHS = st.sampled_from([0.0, 1.0, 30.0, 119.0, 121.0, 900.0])

some_names = st.lists(st.sampled_from((*NAMES, TEAM, "gone")), min_size=1, max_size=4).map(tuple)


def _steps(**how: st.SearchStrategy[tuple[str, ...]]) -> st.SearchStrategy[Step]:
    return st.builds(Step, **how, times=st.integers(1, 3), every=PAUSES, wait=PAUSES)


some_steps = _steps(call=some_names) | _steps(call_in_turn=some_names)
some_chains = st.builds(
    Chain,
    steps=st.lists(some_steps, min_size=1, max_size=3).map(tuple),
    repeat=st.integers(1, 3),
    until=st.sampled_from(["acknowledged", "answered"]),
    acknowledge_within=PAUSES,
    move_on_after=st.sampled_from([timedelta(seconds=30), timedelta(minutes=2)]),
)
in_vain = st.builds(Goes, waits=LENGTHS, lasts=LENGTHS, ends=st.just(Stage.OVER))
any_way = st.builds(
    Goes,
    waits=LENGTHS,
    lasts=LENGTHS,
    ends=st.sampled_from([Stage.OVER, Stage.ANSWERED, Stage.SKIPPED]),
    in_line=st.booleans(),
)
people_now = st.dictionaries(
    st.sampled_from(NAMES),
    st.builds(lambda many, why: (many, why), st.integers(0, 3), st.sampled_from(["", "", "hours"])),
)


def _people(chosen: dict[str, tuple[int, str]]) -> dict[str, list[Person]]:
    found = {name: [person(name, many, why_not=why)] for name, (many, why) in chosen.items()}
    return {**found, TEAM: [each for known in found.values() for each in known]}


class _Wild:
    """Changes the people, the holds and the clock from look to look, as it was drawn."""

    def __init__(self, people: list[dict[str, tuple[int, str]]], jolts: list[float]) -> None:
        self.people, self.jolts = people, jolts

    def __call__(self, world: World) -> None:
        _never_two_at_once(world)
        place = world.looks
        world.people = _people(self.people[place % len(self.people)])
        jolt = self.jolts[place] if place < len(self.jolts) else 0
        world.hold = "credit" if jolt == 1 else ""
        world.now += timedelta(seconds=jolt)


def _never_two_at_once(world: World) -> None:
    busy = Counter(
        each.contact for each in world.made if each.stage in (Stage.WAITING, Stage.CALLING)
    )
    assert not busy or max(busy.values()) == 1, busy


@settings(max_examples=150)
@given(
    some_chains,
    st.lists(any_way, min_size=1, max_size=8),
    st.lists(people_now, min_size=1, max_size=4),
    st.lists(st.sampled_from([0, 0, 0, 1, 40, 3600, -3600]), max_size=30),
)
def test_it_always_comes_to_an_end_and_never_calls_one_person_twice_at_once(
    chain: Chain, goes: list[Goes], people: list[dict[str, tuple[int, str]]], jolts: list[float]
) -> None:
    """Also where people go, teams are emptied, calls are stuck, holds come and clocks step. Each
    ring and each skip is named, and it says what it ended by.
    """
    world = World(chain, {}, lambda number, _: goes[number % len(goes)], _Wild(people, jolts))
    end = world.play()
    _never_two_at_once(world)
    for _, ring in world.rings:
        assert (ring.to is None) == bool(ring.skipped)
        assert any(line.startswith(f"{ring.contact} is ") for line in world.lines)
    answered = [each for each in world.made if each.stage is Stage.ANSWERED]
    assert (end.by is not None) == (chain.until == "answered" and bool(answered))
    if end.reason is AlertReason.NOBODY_TO_CALL:
        assert all(each.stage is Stage.SKIPPED for each in world.made)


@settings(max_examples=200)
@given(some_chains, st.lists(in_vain, min_size=1, max_size=8), people_now)
def test_each_person_is_called_as_often_as_the_chain_says_or_it_is_named_why_not(
    chain: Chain, goes: list[Goes], chosen: dict[str, tuple[int, str]]
) -> None:
    people = _people(chosen)
    world = World(chain, people, lambda number, _: goes[number % len(goes)])
    world.play()
    rounds = range(1, max((ring.round for _, ring in world.rings), default=0) + 1)
    if world.called():
        assert len(rounds) == chain.repeat
    for step, rules in enumerate(chain.steps, 1):
        wanted = {
            each.name: len(each.numbers) * rules.times if each.available else 0
            for name in (*rules.call, *rules.call_in_turn)
            for each in people.get(name, [])
        }
        for round_ in rounds:
            _as_often_as(world, round_, step, wanted)


def _as_often_as(world: World, round_: int, step: int, wanted: dict[str, int]) -> None:
    here = [ring for _, ring in world.rings if (ring.round, ring.step) == (round_, step)]
    rung = Counter(ring.contact for ring in here if not ring.skipped)
    skipped = Counter(ring.contact for ring in here if ring.skipped)
    left = _left(world, here)
    for name, times in wanted.items():
        assert rung[name] <= times
        assert rung[name] == times or skipped[name] or name in left, (name, here)
    assert set(rung) <= set(wanted)


def _left(world: World, here: list[Ring]) -> set[str]:
    """Return whose call the chain did not wait for: their further numbers are not called."""
    said = " ".join(world.lines)
    return {ring.contact for ring in here if f"the call to {ring.contact} " in said}


@settings(max_examples=100)
@given(some_chains, st.lists(any_way, min_size=1, max_size=8), people_now)
def test_after_an_answer_nobody_is_called_within_the_time_to_acknowledge(
    chain: Chain, goes: list[Goes], chosen: dict[str, tuple[int, str]]
) -> None:
    world = World(chain, _people(chosen), lambda number, _: goes[number % len(goes)])
    world.play()
    answers = [each.at for each in world.made if each.stage is Stage.ANSWERED and each.at]
    for at in answers:
        calm = at + chain.acknowledge_within
        assert not [ring for when, ring in world.rings if at < when < calm]
