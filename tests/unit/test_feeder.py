"""The thread that keeps the broker supplied."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from dispatcher.store.errors import StoreUnavailable
from support.polling import eventually
from workers.engine import feeder
from workers.engine.feeder import Feeder

WITHIN = 10.0


class Supply:
    """A store and a messenger in one: each feed takes the next answer, then there is nothing."""

    def __init__(self, *answers: Any) -> None:
        self.queue = self
        self.answers = list(answers)
        self.sent: list[str] = []
        self.together: list[int] = []
        self.asked = threading.Semaphore(0)
        self.threads: set[str] = set()

    def feed(self, most: int) -> list[str]:
        self.threads.add(threading.current_thread().name)
        self.asked.release()
        answer = self.answers.pop(0) if self.answers else []
        if isinstance(answer, Exception):
            raise answer
        return [str(each) for each in answer]

    def dial(self, dispatched: list[str], together: int) -> int:
        self.sent += dispatched
        self.together.append(together)
        return len(dispatched)


def feeder_of(supply: Any, threads: int = 4) -> Feeder:
    return Feeder(supply, supply, threads)


def test_a_nudge_feeds_in_another_thread() -> None:
    supply = Supply(["a"])
    feeder_of(supply).nudge()
    eventually(lambda: supply.sent == ["a"])
    assert supply.threads == {"feeder"}


def test_nobody_is_fed_before_the_first_nudge() -> None:
    supply = Supply(["a"])
    before = threading.active_count()
    feeder_of(supply)
    assert threading.active_count() == before
    assert supply.sent == []


def test_while_there_is_work_it_goes_on_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeder, "CHECK_EVERY", 0.001)
    supply = Supply(["a", "b"], ["c"], ["d"])
    feeder_of(supply).nudge()
    eventually(lambda: supply.sent == ["a", "b", "c", "d"])


def test_without_work_it_sleeps_until_it_is_nudged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeder, "CHECK_EVERY", 0.001)
    supply = Supply([], ["a"])
    nudged = feeder_of(supply)
    nudged.nudge()
    assert supply.asked.acquire(timeout=WITHIN)
    assert not supply.asked.acquire(timeout=0.2)  # many times what it waits while there is work
    nudged.nudge()
    eventually(lambda: supply.sent == ["a"])


@pytest.mark.parametrize("error", [ValueError("odd"), StoreUnavailable("away")], ids=type)
def test_an_error_does_not_end_the_thread(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    supply = Supply(error, ["a"])
    nudged = feeder_of(supply)
    with caplog.at_level(logging.WARNING):
        nudged.nudge()
        assert supply.asked.acquire(timeout=WITHIN)
        eventually(lambda: bool(caplog.records))
    nudged.nudge()
    eventually(lambda: supply.sent == ["a"])
    assert len(caplog.records) == 1


def test_many_nudges_at_once_make_one_thread() -> None:
    supply = Supply()
    nudged = feeder_of(supply)
    together = threading.Barrier(8)

    def nudge() -> None:
        together.wait(WITHIN)
        nudged.nudge()

    before = {thread for thread in threading.enumerate() if thread.name == "feeder"}
    threads = [threading.Thread(target=nudge) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WITHIN)
    after = {thread for thread in threading.enumerate() if thread.name == "feeder"}
    assert len(after - before) == 1


@pytest.mark.parametrize(("chosen", "together"), [(1, 1), (7, 1), (8, 2), (40, 10), (1000, 16)])
def test_a_wake_up_carries_a_threads_share_of_what_was_chosen(chosen: int, together: int) -> None:
    supply = Supply(range(chosen))
    feeder_of(supply, threads=4).run_once()
    assert supply.together == [together]
