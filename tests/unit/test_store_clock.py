"""The gateway's idea of Redis' clock: right on a machine whose own is an hour off, and cheap."""

from __future__ import annotations

import time

from dispatcher.store.errors import StoreUnavailable
from workers.engine.store_clock import FRESH, StoreClock


class Machine:
    """Redis' clock, an hour ahead of this machine's, and the seconds since the start."""

    def __init__(self) -> None:
        self.steady, self.asked, self.away = 100.0, 0, False

    def ask(self) -> float:
        self.asked += 1
        if self.away:
            raise StoreUnavailable("gone")
        return (time.time() + 3600 + self.steady) * 1000


def test_it_is_redis_clock_that_is_asked_for_now_and_then() -> None:
    machine = Machine()
    clock = StoreClock(machine.ask, lambda: machine.steady)
    for _ in range(100):
        assert abs(clock.now() - time.time() - 3600 - machine.steady) < 60
        machine.steady += FRESH / 50
    assert machine.asked == 2


def test_without_redis_what_was_known_goes_on_and_else_this_machines() -> None:
    machine = Machine()
    machine.away = True
    clock = StoreClock(machine.ask, lambda: machine.steady)
    assert abs(clock.now() - time.time()) < 60
    machine.away, machine.steady = False, machine.steady + FRESH
    known = clock.now()
    machine.away, machine.steady = True, machine.steady + FRESH
    assert abs(clock.now() - known - FRESH) < 1
