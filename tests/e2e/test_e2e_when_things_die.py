"""What dies or goes away in the midst of work costs neither a lost nor a second call."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery
from celery.result import AsyncResult

from dispatcher.model.job import Job
from dispatcher.model.states import State
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.values import job_id
from support.e2e_stack import (
    CALL_QUEUE,
    QUICK,
    SAY,
    STARTS_WITHIN,
    OwnSandbox,
    Up,
    number,
    numbers,
)
from support.polling import eventually
from support.redis_inside import redis_of
from workers.devstack.embedded_server import EmbeddedServer

AWAY = 10.0  # seconds


@dataclass(frozen=True)
class Ended:
    """How jobs ended, and how often each number was called by the provider's own books."""

    jobs: list[Job]
    books: Counter[str]

    @property
    def states(self) -> Counter[State]:
        return Counter(job.state for job in self.jobs)

    def calls(self, job: Job) -> int:
        return self.books[job.numbers[0]]

    def assert_each_called_once(self) -> None:
        assert self.states == {State.COMPLETED: len(self.jobs)}
        assert {self.calls(job) for job in self.jobs} == {1}


def half_way(up: Up, ids: list[str], called: int) -> None:
    """Wait until so many calls are placed, and make sure that there are more to come."""
    eventually(lambda: up.sandbox.books().total() >= called, f"{called} calls", STARTS_WITHIN)
    assert up.sandbox.books().total() < len(ids)


def redis_away(folder: Path, end: Callable[[EmbeddedServer], None], appendfsync: str) -> Ended:
    """Let Redis be away for ten seconds in the middle of 200 calls."""
    server = EmbeddedServer(folder / "redis", appendfsync=appendfsync)
    with server, Up(folder, "--no-flower", **QUICK, DISPATCHER_REDIS_URL=server.url) as up:
        up.sandbox.options(latency=0.2)
        ids = up.enqueue(numbers("0001", 200))
        half_way(up, ids, 40)
        end(server)
        with pytest.raises(StoreUnavailable):
            up.dispatcher.job(ids[0])
        time.sleep(AWAY)
        server.start()
        return Ended(up.ended(ids, 150), up.sandbox.books())


def redis_stopped(folder: Path) -> Ended:
    return redis_away(folder, EmbeddedServer.stop, "everysec")


def redis_killed(folder: Path) -> Ended:
    return redis_away(folder, EmbeddedServer.kill, "always")


@pytest.mark.played(by=redis_stopped)
def test_redis_may_be_away_for_a_while(outcome: Ended) -> None:
    outcome.assert_each_called_once()


@pytest.mark.played(by=redis_killed)
def test_redis_may_be_killed(outcome: Ended) -> None:
    outcome.assert_each_called_once()


@dataclass(frozen=True)
class Flushed(Ended):
    """How many wake-ups were lost, and how many went to another broker than the stack's own."""

    lost: int
    astray: int


def broker_flushed(folder: Path) -> Flushed:
    """Empty a broker of its own that holds wake-ups, and then use it again."""
    with EmbeddedServer(folder / "redis") as server:
        broker_url = server.url.removesuffix("/0") + "/1"
        urls = {"DISPATCHER_REDIS_URL": server.url, "DISPATCHER_BROKER_URL": broker_url}
        with (
            Up(folder, "--no-flower", **QUICK, **urls) as up,
            redis.Redis.from_url(broker_url) as broker,
        ):
            worker = up.pid_of("dial")
            os.kill(worker, signal.SIGSTOP)
            ids = up.enqueue(numbers("0001", 100))
            lost = int(broker.llen("vd.normal"))
            broker.flushdb()
            os.kill(worker, signal.SIGCONT)
            ids.append(up.json("call", number("0001"), "--say", SAY)["id"])
            jobs = up.ended(ids, 150)
            astray = int(redis_of(up.dispatcher.store).exists("vd.normal"))
            return Flushed(jobs, up.sandbox.books(), lost, astray)


@pytest.mark.played(by=broker_flushed)
def test_what_a_flushed_broker_held_is_sent_again(outcome: Flushed) -> None:
    assert outcome.lost > 0
    outcome.assert_each_called_once()


@pytest.mark.played(by=broker_flushed)
def test_the_command_line_finds_the_broker_of_a_running_stack(outcome: Flushed) -> None:
    assert outcome.astray == 0


def workers_killed(folder: Path, *arguments: str) -> Ended:
    """Kill the worker three times in the midst of calls whose answers take a while."""
    lease = {"DISPATCHER_CONNECT_TIMEOUT": "1s", "DISPATCHER_READ_TIMEOUT": "2s"}
    with Up(folder, "--no-flower", *arguments, **QUICK, **lease) as up:
        up.sandbox.options(latency=0.3)
        ids = up.enqueue(numbers("0001", 90))
        for called in (10, 30, 50):
            half_way(up, ids, called)
            os.kill(up.pid_of("dial"), signal.SIGKILL)
        return Ended(up.ended(ids, 150), up.sandbox.books())


def workers_killed_without_callbacks(folder: Path) -> Ended:
    return workers_killed(folder, "--no-gateway")


@pytest.mark.played(by=workers_killed)
def test_with_callbacks_a_killed_worker_costs_no_call_that_was_placed(outcome: Ended) -> None:
    placed = {job.id for job in outcome.jobs if outcome.calls(job)}
    assert placed == {job.id for job in outcome.jobs if job.state is State.COMPLETED}
    assert max(map(outcome.calls, outcome.jobs)) == 1


@pytest.mark.played(by=workers_killed_without_callbacks)
def test_of_a_killed_worker_nobody_is_called_twice(outcome: Ended) -> None:
    assert max(map(outcome.calls, outcome.jobs)) == 1
    completed = [job for job in outcome.jobs if job.state is State.COMPLETED]
    assert {outcome.calls(job) for job in completed} == {1}


@pytest.mark.played(by=workers_killed_without_callbacks)
def test_of_a_killed_worker_the_uncertain_calls_say_so(outcome: Ended) -> None:
    failed = [job for job in outcome.jobs if job.state is not State.COMPLETED]
    assert failed
    assert {(job.state, job.reason) for job in failed} == {(State.FAILED, "outcome_unknown")}
    for job in failed:
        assert [event.to for event in job.timeline[-2:]] == ["uncertain", "failed"]
        assert job.timeline[-2].why == "the worker died; the call may have been placed"


def stack_interrupted(folder: Path) -> tuple[float, Ended]:
    """Press Ctrl-C in the midst of 300 calls and start again; return how long the end took."""
    with (
        OwnSandbox("--ring=0.3", "--latency=0.2") as sandbox,
        Up(folder, "--no-flower", "--no-sandbox", **QUICK, **sandbox.account) as up,
    ):
        ids = up.enqueue(numbers("0001", 300))
        eventually(lambda: sandbox.books().total() >= 20, "20 calls are placed")
        began = time.monotonic()
        assert up.stop(signal.SIGINT) == 0
        took = time.monotonic() - began
        assert sandbox.books().total() < len(ids)
        up.start()
        up.wait_until_up()
        return took, Ended(up.ended(ids, 150), sandbox.books())


@pytest.mark.played(by=stack_interrupted)
def test_the_next_up_carries_on_where_the_last_was_interrupted(outcome: tuple[float, Any]) -> None:
    took, ended = outcome
    assert took < 30
    ended.assert_each_called_once()


def killed_door(folder: Path) -> list[Job | None]:
    """Kill the door while it has messages in hand; return the jobs when it has come to rest."""
    with (
        Up(folder, "--no-flower", **QUICK, DISPATCHER_CALL_REDELIVERY="3s") as up,
        Celery(broker=up.redis_url) as app,
    ):
        os.kill(up.pid_of("call-task"), signal.SIGSTOP)  # or it would be done with each as it comes
        tasks = [_for_later(app, who) for who in numbers("0001", 300)]
        _kill_with_messages(up)
        store = up.dispatcher.store
        eventually(lambda: not redis_of(store).exists(CALL_QUEUE, "vd.unacked"), "the door is done")
        return store.jobs.get_many(job_id(f"task:{task.id}") for task in tasks)


def _for_later(app: Celery, who: str) -> AsyncResult[str]:
    asked = {"recipient": who, "say": SAY, "at": "1h"}
    return app.send_task("dispatcher.call", kwargs=asked, ignore_result=True, queue=CALL_QUEUE)


def _kill_with_messages(up: Up) -> None:
    """Let the frozen door work for moments until it has messages in hand; kill it then."""
    door, redis = up.pid_of("call-task"), redis_of(up.dispatcher.store)
    while True:
        os.kill(door, signal.SIGCONT)
        redis.ping()
        os.kill(door, signal.SIGSTOP)
        if redis.hlen("vd.unacked"):
            os.kill(door, signal.SIGKILL)
            return
        assert redis.llen(CALL_QUEUE), "the door was too quick to be caught"


@pytest.mark.played(by=killed_door)
def test_what_a_killed_door_had_in_hand_comes_again(outcome: list[Job | None]) -> None:
    """Redis as a broker may lose the one message that was on its way to the door just then."""
    assert outcome.count(None) <= 1
    assert {job.state for job in outcome if job} == {State.SCHEDULED}
