"""Processes that die in the midst of work cost neither a lost nor a second call."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.result import AsyncResult

from dispatcher.model.job import Job
from dispatcher.model.states import State
from dispatcher.store.values import job_id
from support.e2e_ended import Ended, half_way
from support.e2e_stack import CALL_QUEUE, QUICK, SAY, OwnSandbox, Up, numbers
from support.polling import eventually
from support.redis_inside import redis_of


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
    """Press Ctrl-C in the midst of many calls and start again; return how long the end took."""
    settings = {**QUICK, "DISPATCHER_RATE_LIMIT": "40"}
    with (
        OwnSandbox("--ring=0.3", "--latency=0.2") as sandbox,
        Up(folder, "--no-flower", "--no-sandbox", **settings, **sandbox.account) as up,
    ):
        ids = up.enqueue(numbers("0001", 120))
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
    assert took < 60
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
