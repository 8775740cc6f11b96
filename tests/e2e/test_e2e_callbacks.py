"""The provider's callbacks bring home what got lost, on real processes and over real HTTP."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dispatcher.model.callbacks_seen import ENOUGH
from dispatcher.model.job import Job
from dispatcher.model.states import State
from support.cable import Cable
from support.e2e_stack import QUICK, STARTS_WITHIN, Up, numbers
from support.polling import eventually
from support.ports import free_port
from workers.devstack.embedded_server import EmbeddedServer

CALLBACKS_ALONE = {
    **QUICK,
    "DISPATCHER_CHECK_FIRST": "1h",
    "DISPATCHER_EVIDENCE_WINDOW": "1h",
}
"""Nobody asks for a status, and nobody decides without evidence."""
LOST = ("0008", "0009", "0011")
"""The provider broke, the answer was cut, the answer is unreadable; a call was placed each time."""


@dataclass(frozen=True)
class Heard:
    """How jobs ended, how often each number was called, and what is counted of callbacks."""

    jobs: list[Job]
    books: Counter[str]
    counts: dict[str, int]

    def states(self, behaviour: str) -> set[State]:
        return {job.state for job in self._of(behaviour)}

    def actors(self, behaviour: str) -> set[str]:
        return {job.timeline[-1].actor for job in self._of(behaviour)}

    def _of(self, behaviour: str) -> list[Job]:
        return [job for job in self.jobs if job.numbers[0].endswith(behaviour)]

    def assert_each_called_once(self) -> None:
        assert {self.books[job.numbers[0]] for job in self.jobs} == {1}


def heard(up: Up, ids: list[str], within: float = 60) -> Heard:
    jobs = up.ended(ids, within)
    stats = up.json("stats")
    return Heard(jobs, up.sandbox.books(), stats["callbacks"] | {"twice": stats["second_calls"]})


@dataclass(frozen=True)
class Alone:
    """What callbacks alone brought home, and what of them came again to a gateway that was killed,
    and to one without Redis.
    """

    undisturbed: Heard
    gateway_killed: Heard
    without_redis: Heard


def callbacks_alone(folder: Path) -> Alone:
    server = EmbeddedServer(folder / "redis", appendfsync="always")
    with (
        server,
        Up(folder, "--no-flower", **CALLBACKS_ALONE, DISPATCHER_REDIS_URL=server.url) as up,
    ):
        called = [each for end in ("0001", "0002", "0003", *LOST) for each in numbers(end, 3)]
        undisturbed = heard(up, up.enqueue(called))
        return Alone(undisturbed, gateway_killed(up), without_redis(up, server))


def calls_of(up: Up, called: list[str]) -> list[dict[str, Any]]:
    return [call for call in up.sandbox.calls() if call["recipient"] in called]


def refused(up: Up, called: list[str]) -> bool:
    """Whether a callback of theirs was tried in vain."""
    return any(
        each["result"] != 200 for call in calls_of(up, called) for each in call["callback_tries"]
    )


def gateway_killed(up: Up) -> Heard:
    """The gateway is killed while callbacks wait for its answer."""
    gateway = up.pid_of("gateway")
    os.kill(gateway, signal.SIGSTOP)
    called = [*numbers("0001", 10), *numbers("0009", 10)]
    ids = up.enqueue(called)
    eventually(
        lambda: [call["ended_at"] is not None for call in calls_of(up, called)] == [True] * 20,
        "all calls have ended",
        STARTS_WITHIN,
    )
    os.kill(gateway, signal.SIGKILL)
    eventually(lambda: refused(up, called), "a callback is cut off", STARTS_WITHIN)
    return heard(up, ids)


def without_redis(up: Up, server: EmbeddedServer) -> Heard:
    """Redis is away when the callbacks come, and back before the provider gives up."""
    up.sandbox.options(callback_delay=3)
    called = [*numbers("0001", 10), *numbers("0009", 10)]
    ids = up.enqueue(called)
    eventually(lambda: len(calls_of(up, called)) == 20, "all are called", STARTS_WITHIN)
    server.stop()
    eventually(lambda: refused(up, called), "a callback is refused", STARTS_WITHIN)
    server.start()
    return heard(up, ids)


@pytest.mark.played(by=callbacks_alone)
def test_a_lost_answer_comes_home_by_the_callback_and_nobody_is_called_twice(
    outcome: Alone,
) -> None:
    story = outcome.undisturbed
    for behaviour in LOST:
        assert story.states(behaviour) == {State.COMPLETED}
        assert story.actors(behaviour) == {"callback"}
    story.assert_each_called_once()
    assert story.counts["twice"] == 0


@pytest.mark.played(by=callbacks_alone)
def test_with_callbacks_nobody_needs_to_ask_what_became_of_a_call(outcome: Alone) -> None:
    story = outcome.undisturbed
    assert story.states("0001") == {State.COMPLETED}
    assert story.states("0002") == story.states("0003") == {State.FAILED}
    assert {job.timeline[-1].actor for job in story.jobs} == {"callback"}
    assert story.counts["received"] == story.counts["applied"] == len(story.jobs)


def unreliable(folder: Path) -> Heard:
    """A third of the callbacks never comes, half of the others come twice, all come late."""
    with Up(folder, "--no-flower", **QUICK) as up:
        up.sandbox.options(callback_drop=0.3, callback_duplicate=0.5, callback_delay=0.7)
        called = [each for end in ("0001", "0002", "0009") for each in numbers(end, 30)]
        return heard(up, up.enqueue(called, on_uncertain="hold"), 90)


@pytest.mark.played(by=unreliable)
def test_callbacks_dropped_doubled_and_delayed_lose_no_job_and_call_nobody_twice(
    outcome: Heard,
) -> None:
    outcome.assert_each_called_once()
    assert outcome.states("0001") == {State.COMPLETED}
    assert outcome.states("0002") == {State.FAILED}
    lost = Counter((job.state, job.reason) for job in outcome.jobs if job.numbers[0][-1] == "9")
    assert set(lost) == {(State.COMPLETED, None), (State.FAILED, "outcome_unknown")}
    assert outcome.counts["received"] > 0


def to_be_confirmed(folder: Path) -> Heard:
    settings = {**CALLBACKS_ALONE, "DISPATCHER_CONFIRM_CALLBACKS": "true"}
    with Up(folder, "--no-flower", **settings) as up:
        return heard(up, up.enqueue([*numbers("0001", 2), *numbers("0009", 2)]))


@pytest.mark.played(by=to_be_confirmed)
def test_to_be_confirmed_the_check_decides(outcome: Heard) -> None:
    assert outcome.states("0001") == outcome.states("0009") == {State.COMPLETED}
    assert {job.timeline[-1].actor for job in outcome.jobs} == {"reconcile"}
    outcome.assert_each_called_once()


def way_breaks(folder: Path) -> tuple[Heard, list[Any]]:
    """A proxy drops callbacks from some moment on, when they have arrived just before."""
    port = free_port()
    with Cable(port) as proxy:
        settings = {
            **QUICK,
            "DISPATCHER_EVIDENCE_WINDOW": "15s",
            "DISPATCHER_GATEWAY_PORT": str(port),
            "DISPATCHER_PUBLIC_URL": f"http://127.0.0.1:{proxy.port}",
        }
        with Up(folder, "--no-flower", **settings) as up:
            up.enqueue(numbers("0001", 1))
            eventually(lambda: up.json("stats")["callbacks"]["received"], "one came", 180)
            proxy.cut()
            ids = up.enqueue([*numbers("0009", 3), *numbers("0001", ENOUGH)])
            story = heard(up, ids, 90)
            return story, json.loads(up.cli("doctor", "--no-provider", "--json").stdout)


@pytest.mark.played(by=way_breaks)
def test_where_callbacks_do_not_arrive_any_more_nobody_is_called_twice_on_their_silence(
    outcome: tuple[Heard, list[Any]],
) -> None:
    story, _ = outcome
    assert story.states("0001") == {State.COMPLETED}
    assert story.states("0009") == {State.FAILED}
    assert {job.reason for job in story.jobs} == {None, "outcome_unknown"}
    story.assert_each_called_once()


@pytest.mark.played(by=way_breaks)
def test_doctor_says_that_callbacks_are_missing(outcome: tuple[Heard, list[Any]]) -> None:
    _, found = outcome
    (said,) = (each for each in found if each["check"] == "callbacks missing")
    assert said["level"] == "fail"
    assert f"{ENOUGH} calls ended, and none came since " in said["message"]


@pytest.mark.played(by=callbacks_alone)
def test_what_could_not_be_written_without_redis_comes_again(outcome: Alone) -> None:
    assert {job.state for job in outcome.without_redis.jobs} == {State.COMPLETED}
    outcome.without_redis.assert_each_called_once()


@pytest.mark.played(by=callbacks_alone)
def test_a_gateway_that_is_killed_is_started_again_and_hears_the_next_try(outcome: Alone) -> None:
    assert {job.state for job in outcome.gateway_killed.jobs} == {State.COMPLETED}
    outcome.gateway_killed.assert_each_called_once()
