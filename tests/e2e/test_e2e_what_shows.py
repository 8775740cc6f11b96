"""What Flower and the logs show: every job's fate, and nobody's number nor what was said."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import pytest
import requests
from celery import Celery

from dispatcher.model.job import Job
from support.e2e_stack import (
    CALL_QUEUE,
    CALLER,
    FLOWER_AUTH,
    NUMBERS,
    SAY,
    TOKEN,
    Stage,
    number,
)
from support.leftovers import keep
from support.polling import eventually

Tasks = dict[str, dict[str, Any]]
ALL_ROWS = {
    "draw": 1,
    "start": 0,
    "length": 100_000,
    "search[value]": "",
    "order[0][column]": 0,
    "order[0][dir]": "asc",
    "columns[0][data]": "name",
}
PAGES = (
    "/",
    "/workers",
    "/workers?json=1",
    "/tasks",
    "/broker",
    "/metrics",
    "/api/workers?refresh=1",
    "/api/tasks?limit=100000",
    "/api/task/types",
    "/api/queues/length",
    f"/tasks/datatable?{urlencode(ALL_ROWS)}",
)


class AtTheDoor(NamedTuple):
    """The id of the job that was made, and of tasks that were refused and are put off."""

    made: str
    refused: str
    waiting: str


@pytest.fixture(scope="module")
def jobs(stage: Stage) -> dict[str, Job]:
    """Jobs of several fates, with all that is known of them when Flower is looked at."""
    call = stage.up.dispatcher.call
    fates = {"answered": "0001", "silent": "0002", "forbidden": "0012", "lost": "0009"}
    handles = {fate: call(number(behaviour), say=SAY) for fate, behaviour in fates.items()}
    jobs = {fate: handle.wait(180) for fate, handle in handles.items()}
    stage.sandbox.credits(0)
    held = call(number("0001"), say=SAY)
    eventually(lambda: held.refresh().hold_reason, "a job is held")
    jobs["held"] = held.refresh()
    stage.sandbox.credits(1_000_000)
    held.wait(180)
    return jobs


@pytest.fixture(scope="module")
def at_the_door(stage: Stage, jobs: dict[str, Job]) -> AtTheDoor:
    """Tasks that another service sent, well and badly, from an app that tells of what it sends."""
    url = stage.up.redis_url
    with Celery(broker=url, backend=url) as app:
        app.conf.update(task_send_sent_event=True, event_exchange="vd.celeryev")
        app.conf.task_default_queue = CALL_QUEUE
        ask = {"recipient": number("0001"), "say": SAY}
        made = app.send_task("dispatcher.call", kwargs=ask).get(20)
        waiting = app.send_task("dispatcher.call", kwargs=ask, countdown=60)
        app.send_task("dispatcher.cal", kwargs=ask, ignore_result=True)
        app.send_task("dispatcher.call", args=(number("0001"), SAY), ignore_result=True)
        wrong = {**ask, "recipient": "+8108012345678"}
        refused = app.send_task("dispatcher.call", kwargs=wrong)
        refused.get(20, propagate=False)
        stage.up.dispatcher.wait(made, 20)
        return AtTheDoor(made, refused.id, waiting.id)


def tasks(stage: Stage) -> Tasks:
    answer = stage.flower.get(f"{flower_url(stage)}/api/tasks?limit=100000", timeout=180)
    answer.raise_for_status()
    found: Tasks = answer.json()
    return found


def flower_url(stage: Stage) -> str:
    return str(stage.up.announced["flower_url"])


def shown(stage: Stage, name: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the first task of that name for which this holds, as soon as Flower has it."""

    def look() -> list[dict[str, Any]]:
        return [task for task in tasks(stage).values() if task["name"] == name and holds(task)]

    return eventually(look, f"Flower shows such a {name}")[0]


def of_job(job: Job, word: str) -> Callable[[dict[str, Any]], bool]:
    return lambda task: job.id in task["args"] and word in f"{task['result']}{task['exception']}"


def test_flower_shows_a_call_that_was_placed(stage: Stage, jobs: dict[str, Job]) -> None:
    dial = shown(stage, "dispatcher.dial", of_job(jobs["answered"], "in_progress"))
    assert dial["state"] == "SUCCESS"
    check = shown(stage, "dispatcher.check_call", of_job(jobs["answered"], "ANSWERED"))
    assert check["state"] == "SUCCESS"


def test_flower_shows_a_forbidden_country_as_a_failure_of_the_dial(
    stage: Stage, jobs: dict[str, Job]
) -> None:
    dial = shown(stage, "dispatcher.dial", of_job(jobs["forbidden"], "not_allowed"))
    assert dial["state"] == "FAILURE"
    assert f"job {jobs['forbidden'].id} failed: not_allowed: " in dial["exception"]
    assert "Country not allowed" in dial["exception"]


def test_flower_shows_a_call_that_nobody_answered_as_a_failure_of_the_check(
    stage: Stage, jobs: dict[str, Job]
) -> None:
    check = shown(stage, "dispatcher.check_call", of_job(jobs["silent"], "no_answer"))
    assert check["state"] == "FAILURE"


def test_flower_shows_why_a_job_is_held(stage: Stage, jobs: dict[str, Job]) -> None:
    dial = shown(stage, "dispatcher.dial", of_job(jobs["held"], "held"))
    assert dial["state"] == "SUCCESS"
    assert "'reason': 'credit'" in dial["result"]
    assert "Not enough credits, required: 20" in dial["result"]
    shown(
        stage,
        "dispatcher.watch_credit",
        lambda task: "'hold.half_open': 'credit:tariff:tts:JP" in task["result"],
    )


def test_flower_shows_an_uncertain_call(stage: Stage, jobs: dict[str, Job]) -> None:
    shown(stage, "dispatcher.dial", of_job(jobs["lost"], "uncertain"))
    shown(stage, "dispatcher.rescue", lambda task: "'decided': 1" in task["result"])


def test_flower_shows_what_came_through_the_door(stage: Stage, at_the_door: AtTheDoor) -> None:
    call = shown(stage, "dispatcher.call", lambda task: at_the_door.made in str(task["result"]))
    assert (call["state"], call["kwargs"]) == ("SUCCESS", "(not shown)")
    failed = shown(stage, "dispatcher.call", lambda task: task["uuid"] == at_the_door.refused)
    assert failed["state"] == "FAILURE"
    assert "recipient: '+8108****5678' is not E.164" in failed["exception"]


def test_flower_shows_ticks_only_where_they_did_something(
    stage: Stage, jobs: dict[str, Job]
) -> None:
    shown(stage, "dispatcher.reconcile", lambda task: "'checks'" in task["result"])
    shown(stage, "dispatcher.pump", lambda task: "'released'" in task["result"])
    ticks = [task for task in tasks(stage).values() if task["args"] == "()"]
    assert ticks
    assert not [task for task in ticks if task["result"] == "{}"]


@pytest.mark.parametrize("page", sorted(PAGES))
def test_flower_shows_nothing_without_the_password(stage: Stage, page: str) -> None:
    answer = requests.get(f"{flower_url(stage)}{page}", timeout=180)
    assert answer.status_code == 401


def test_no_page_of_flower_tells_a_number_a_text_or_a_password(
    stage: Stage, jobs: dict[str, Job], at_the_door: AtTheDoor
) -> None:
    known = tasks(stage)
    workers = {task["worker"] for task in known.values() if task["worker"]}
    pages = [*PAGES, *(f"/worker/{quote(worker)}" for worker in workers)]
    pages += [f"/{kind}/{uuid}" for uuid in known for kind in ("task", "api/task/info")]
    bodies = {page: _body(stage, page) for page in pages}
    assert sum(jobs["held"].id in body for body in bodies.values()) >= 4
    assert at_the_door.waiting in next(body for page, body in bodies.items() if "call-task" in page)
    told = {page: secrets_in(body, stage) for page, body in bodies.items()}
    assert {page: secrets for page, secrets in told.items() if secrets} == {}


def _body(stage: Stage, page: str) -> str:
    answer = stage.flower.get(f"{flower_url(stage)}{page}", timeout=180)
    assert answer.status_code == 200, page
    return answer.text


def secrets_in(text: str, stage: Stage) -> list[str]:
    """Return what a text tells that nobody may read there."""
    password = urlsplit(stage.up.redis_url).password or ""
    words = [SAY, "wombat", TOKEN, FLOWER_AUTH[1], password]
    private = {each.removeprefix("+") for each in (*NUMBERS, CALLER)}
    digits = re.findall(r"\d{8,}", text)
    found = [run for run in digits if any(number in run for number in private)]
    return found + [word for word in words if word in text]


def test_what_must_not_show_would_be_found(stage: Stage) -> None:
    for secret in (NUMBERS[-1], CALLER.removeprefix("+"), SAY, TOKEN, stage.up.redis_url):
        assert secrets_in(f"… {secret} …", stage)


def test_flower_remembers_over_a_restart(
    stage: Stage, jobs: dict[str, Job], at_the_door: AtTheDoor
) -> None:
    before = tasks(stage).keys()
    assert stage.up.stop(signal.SIGTERM) == 0
    stage.up.start()
    keep(stage.up.pid)
    stage.up.wait_until_up()
    assert before <= tasks(stage).keys()


def test_the_log_tells_of_jobs_but_no_number_text_or_password(
    stage: Stage, jobs: dict[str, Job], at_the_door: AtTheDoor
) -> None:
    for id_ in (*(job.id for job in jobs.values()), at_the_door.made):
        assert id_ in stage.up.log
    assert "dispatcher.cal" in stage.up.log
    assert secrets_in(stage.up.log, stage) == []
