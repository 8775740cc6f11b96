"""What Flower is told of each turn, whatever message it came with."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery
from celery.events import EventDispatcher

from dispatcher.model.states import State
from workers.engine.turn import Turn
from workers.queue.task_events import (
    MOST_TOGETHER,
    MOST_WAITING,
    TOGETHER_WITHIN,
    TaskEvents,
    step,
)


class Eventer:
    """Keeps what is sent."""

    def __init__(self, *, enabled: bool = True) -> None:
        self.enabled = enabled
        self.sent: list[tuple[str, dict[str, Any]]] = []

        self.flushed = 0

    def send(self, kind: str, **fields: Any) -> None:
        self.sent.append((kind, fields))

    def flush(self) -> None:
        self.flushed += 1


class Hub:
    """Keeps what is to be called again and again."""

    def __init__(self) -> None:
        self.repeated: dict[Any, float] = {}

    def call_repeatedly(self, seconds: float, what: Any) -> Any:
        self.repeated[what] = seconds
        return SimpleNamespace(cancel=lambda: self.repeated.pop(what))


@pytest.fixture
def eventer() -> Eventer:
    return Eventer()


@pytest.fixture
def task_events(eventer: Eventer) -> TaskEvents:
    made = TaskEvents()
    made.eventer = eventer
    return made


DIAL = "dispatcher.dial"
PLACED = Turn("abc", State.IN_PROGRESS)


def test_a_turn_is_a_task_that_succeeds_with_its_result(
    task_events: TaskEvents, eventer: Eventer
) -> None:
    task_events.begin(DIAL, "abc")(PLACED)
    kinds = [kind for kind, _ in eventer.sent]
    assert kinds == ["task-received", "task-started", "task-succeeded"]
    assert len({fields["uuid"] for _, fields in eventer.sent}) == 1
    assert eventer.sent[0][1]["args"] == "('abc',)"
    assert eventer.sent[2][1]["result"] == "{'job': 'abc', 'state': 'in_progress'}"


def test_each_turn_is_a_task_of_its_own(task_events: TaskEvents, eventer: Eventer) -> None:
    ends = [task_events.begin(DIAL, job_id) for job_id in ("a", "b")]
    for end in ends:
        end(PLACED)
    assert len({fields["uuid"] for _, fields in eventer.sent}) == 2


def test_a_failed_job_is_a_failure(task_events: TaskEvents, eventer: Eventer) -> None:
    task_events.begin(DIAL, "abc")(Turn("abc", State.FAILED, "no_answer", "NO ANSWER"))
    kind, fields = eventer.sent[-1]
    assert (kind, fields["exception"]) == (
        "task-failed",
        "JobFailed('job abc failed: no_answer: NO ANSWER')",
    )


def test_no_number_is_told(task_events: TaskEvents, eventer: Eventer) -> None:
    for state, reason in ((State.FAILED, "call_failed"), (State.SCHEDULED, "")):
        task_events.begin(DIAL, "abc")(Turn("abc", state, reason, "odd: +818011234567"))
        assert "8011234567" not in str(eventer.sent[-1])
        assert "odd: " in str(eventer.sent[-1])


def test_where_nobody_listens_nothing_is_sent(task_events: TaskEvents, eventer: Eventer) -> None:
    eventer.enabled = False
    task_events.begin(DIAL, "abc")(PLACED)
    task_events.eventer = None
    task_events.begin(DIAL, "abc")(PLACED)
    assert eventer.sent == []


def test_events_go_out_together_and_the_last_ones_when_the_consumer_stops(
    eventer: Eventer,
) -> None:
    task_events, hub = TaskEvents(), Hub()
    consumer = SimpleNamespace(event_dispatcher=eventer, hub=hub)
    paced = step(task_events)(consumer)
    paced.start(consumer)
    assert task_events.eventer is eventer
    assert eventer.on_send_buffered is None  # type: ignore[attr-defined]
    assert hub.repeated == {task_events.flush: TOGETHER_WITHIN}
    task_events.begin(DIAL, "abc")(PLACED)
    assert eventer.sent == []
    paced.stop(consumer)
    assert (hub.repeated, eventer.flushed, len(eventer.sent)) == ({}, 1, 3)
    assert abs(eventer.sent[0][1]["timestamp"] - time.time()) < 60


def test_a_broker_that_does_not_read_keeps_nobody_from_dialling() -> None:
    task_events = TaskEvents()
    with Celery(broker="memory://", set_as_current=False).connection_for_write() as connection:
        eventer = EventDispatcher(connection, "w@here", buffer_group=["task"])
        consumer = SimpleNamespace(event_dispatcher=eventer, hub=Hub())
        step(task_events)(consumer).start(consumer)

        def dial() -> None:
            for _ in range(MOST_TOGETHER):
                task_events.begin(DIAL, "abc")(PLACED)

        dialling = threading.Thread(target=dial, daemon=True)
        with eventer.mutex:  # as the thread that serves the broker has it while it writes
            dialling.start()
            dialling.join(30)
            assert not dialling.is_alive()


def test_while_the_broker_hangs_the_latest_are_kept(eventer: Eventer) -> None:
    task_events = TaskEvents()
    task_events.eventer, task_events.paced = eventer, True
    for number in range(MOST_WAITING):
        task_events.begin(DIAL, str(number))(PLACED)
    task_events.flush()
    assert len(eventer.sent) == MOST_WAITING
    assert str(MOST_WAITING - 1) in eventer.sent[-3][1]["args"]
