"""Wake-ups off the way of whoever enqueues."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from dispatcher.client.messages import wake
from dispatcher.model.states import Priority
from dispatcher.store.errors import StoreUnavailable
from support.polling import eventually
from workers.engine.waker import Waker


class Fake:
    """A store that says whom to wake, and a messenger that does it."""

    def __init__(self, *answers: Any) -> None:
        self.queue = self
        self.answers = list(answers)
        self.woken: list[Priority] = []
        self.asked = threading.Semaphore(0)

    def wake(self, priority: Priority | None = None) -> Any:
        if priority is not None:
            self.woken.append(priority)
            return None
        self.asked.release()
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_one_is_woken_where_the_store_says_so() -> None:
    fake: Any = Fake(Priority.BULK, None)
    wake(fake, fake)
    wake(fake, fake)
    assert fake.woken == [Priority.BULK]


def test_whoever_enqueued_is_told_of_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    fake: Any = Fake(StoreUnavailable("away"))
    wake(fake, fake)
    assert "no worker was woken: away" in caplog.text


def test_a_nudge_returns_at_once_and_errors_stop_nothing() -> None:
    fake: Any = Fake(RuntimeError("a bug"), Priority.URGENT)
    waker = Waker(fake, fake)
    waker.nudge()
    assert fake.asked.acquire(timeout=30)
    waker.nudge()
    eventually(lambda: fake.woken == [Priority.URGENT], "it is woken")
    waker._news.wait = lambda: False
    waker.nudge()  # its thread ends after this one


def test_whom_redis_named_is_woken_without_asking_again() -> None:
    fake: Any = Fake(Priority.URGENT)
    waker = Waker(fake, fake)
    waker.wake(Priority.BULK)
    eventually(lambda: fake.woken == [Priority.BULK], "it is woken")
    assert not fake.asked.acquire(blocking=False)
    waker._news.wait = lambda: False
    waker.wake(Priority.BULK)  # its thread ends after this one
