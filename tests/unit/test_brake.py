"""Refusals go out at a pace for each client, so that asking again at once is of no use."""

from __future__ import annotations

import pytest

from workers.gateway import brake
from workers.gateway.brake import A_SECOND, AT_ONCE, LONGEST, Brake


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slow(clock: Clock) -> Brake:
    return Brake(clock, lambda: 0.5)


def test_the_first_are_told_at_once_and_the_others_one_after_another(slow: Brake) -> None:
    waits = [slow.seconds("flooder") for _ in range(AT_ONCE + 3)]
    assert waits[:AT_ONCE] == [0.0] * AT_ONCE
    assert waits[AT_ONCE:] == pytest.approx([1 / A_SECOND, 2 / A_SECOND, 3 / A_SECOND])
    assert slow.seconds("other") == 0.0


def test_who_keeps_to_the_pace_never_waits(slow: Brake, clock: Clock) -> None:
    for _ in range(100):
        clock.now += 1 / A_SECOND
        assert slow.seconds("patient") == 0.0


def test_nobody_waits_for_ever_and_many_do_not_go_together(slow: Brake) -> None:
    waits = [slow.seconds("flooder") for _ in range(5000)]
    assert max(waits) == LONGEST * 1.5
    assert waits.count(LONGEST * 1.5) > 4000


def test_what_is_kept_in_mind_is_bounded(
    slow: Brake, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brake, "MOST", 10)
    for n in range(25):
        slow.seconds(f"{n}")
    assert len(slow._busy_until) <= 10
    clock.now += 60
    for _ in range(AT_ONCE):
        slow.seconds("flooder")
    for n in range(9):
        slow.seconds(f"{n}")
    clock.now += 0.5
    slow.seconds("one more")
    assert slow.seconds("flooder") == pytest.approx(0.0)
