"""The door: other services' Celery apps that install nothing of the dispatcher."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from celery.exceptions import NotRegistered

from support.e2e_stack import CALL_QUEUE, SAY, Stage, number
from support.polling import eventually

CALL = "dispatcher.call"


@pytest.fixture(scope="module")
def app(stage: Stage) -> Iterator[Celery]:
    """What another service has: a Celery app with nothing configured but its URLs and a route."""
    with Celery(broker=stage.up.redis_url, backend=stage.up.redis_url) as app:
        app.conf.task_routes = {CALL: {"queue": CALL_QUEUE}}
        yield app


def refusal(app: Celery, *args: Any, **kwargs: Any) -> str:
    """Send a task that must be refused; return what the service is told."""
    result = app.send_task(CALL, args=args, kwargs=kwargs)
    error = result.get(20, propagate=False)
    assert result.state == "FAILURE"
    assert type(error).__name__ == "CallRefused"
    return str(error)


def test_a_task_becomes_a_job_whose_id_is_its_result(stage: Stage, app: Celery) -> None:
    who = number("0001")
    id_ = app.send_task(CALL, kwargs={"recipient": who, "say": SAY, "tags": ["door"]}).get(20)
    job = stage.up.dispatcher.wait(id_, 20)
    assert (job.outcome, job.numbers, job.tags) == ("ANSWERED", (who,), ("door",))
    assert stage.sandbox.books()[who] == 1


def test_a_wrong_number_is_refused_with_the_remedy_and_masked(app: Celery) -> None:
    told = refusal(app, recipient="+8108012345678", say=SAY)
    assert "recipient: '+8108****5678' is not E.164" in told
    assert "2345678" not in told


@pytest.mark.parametrize(
    ("kwargs", "told"),
    [
        ({"say": SAY}, "recipient: it is missing; give a number in E.164"),
        ({"recipient": "+818012340001"}, "give either a text to say or a recording to play"),
        ({"recipient": "+818012340001", "say": SAY, "sya": 1}, "sya: there is no such option"),
        ({"recipient": 818012340001, "say": SAY}, "recipient: 8180****0001 is not a text"),
    ],
)
def test_a_bad_argument_is_refused_by_its_name(
    app: Celery, kwargs: dict[str, Any], told: str
) -> None:
    assert told in refusal(app, **kwargs)


def test_arguments_by_position_are_refused(app: Celery) -> None:
    assert "give every argument by name" in refusal(app, "+818012340001", SAY)


def test_a_key_of_another_request_is_refused(app: Celery) -> None:
    ask = {"recipient": number("0001"), "key": number("0001")}
    app.send_task(CALL, kwargs={**ask, "say": SAY}).get(20)
    assert "belongs to another request" in refusal(app, **ask, say="All are caught.")


def test_a_message_that_comes_twice_makes_one_job(stage: Stage, app: Celery) -> None:
    who = number("0001")
    ask = {"kwargs": {"recipient": who, "say": SAY}, "task_id": str(uuid.uuid4())}
    ids = {app.send_task(CALL, **ask).get(20) for _ in range(2)}
    assert len(ids) == 1
    stage.up.ended([*ids], 120)
    assert stage.sandbox.books()[who] == 1


@pytest.mark.parametrize("key", [None, "purged-and-again"])
def test_a_message_that_comes_again_after_its_job_was_purged_makes_none(
    stage: Stage, app: Celery, key: str | None
) -> None:
    who = number("0001")
    asked = {"recipient": who, "say": SAY, "at": "1h"} | ({"key": key} if key else {})
    ask: dict[str, Any] = {"kwargs": asked, "task_id": str(uuid.uuid4())}
    id_ = app.send_task(CALL, **ask).get(20)
    assert stage.up.cli("purge", "--recipient", who, "--cancel", "--yes").returncode == 0
    app.AsyncResult(ask["task_id"]).forget()
    assert app.send_task(CALL, **ask).get(20) == id_
    assert stage.up.dispatcher.store.jobs.get_many([id_]) == [None]


def test_a_task_that_nobody_here_knows_is_refused_and_its_sender_is_told(
    stage: Stage, app: Celery
) -> None:
    sent = app.send_task("dispatcher.cal", kwargs={"recipient": number("0001")}, queue=CALL_QUEUE)
    assert isinstance(sent.get(20, propagate=False), NotRegistered)
    refused = "no task here accepts it (KeyError: 'dispatcher.cal'), in the queue 'vd.call'"
    eventually(lambda: refused in stage.up.log, "the log says so")
