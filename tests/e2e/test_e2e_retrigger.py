"""A bulk retrigger on real parts: what the preview says is what happens."""

from __future__ import annotations

import json
from typing import Any

from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.filters import Filter
from dispatcher.model.job import Job
from dispatcher.model.states import State
from support.e2e_stack import Stage, numbers
from support.polling import eventually
from support.redis_inside import key_of, redis_of

SECOND_TIME, NEVER, AT_ONCE = "0005", "0003", "0001"


def night(stage: Stage, tag: str) -> list[Job]:
    """Enqueue ten that are answered when called again, two that never are, three that are."""
    behaviours = {SECOND_TIME: 10, NEVER: 2, AT_ONCE: 3}
    recipients = [each for kind, many in behaviours.items() for each in numbers(kind, many)]
    ids = stage.up.enqueue(recipients, tags=[tag], redial=0)
    return stage.up.ended(ids, 120)


def failed(jobs: list[Job]) -> list[str]:
    return [job.id for job in jobs if job.state is State.FAILED]


def figures(report: dict[str, Any]) -> tuple[int, int, dict[str, int]]:
    left = {each["reason"]: each["count"] for each in report["excluded"]}
    return report["matched"], report["selected"], left


def test_failed_jobs_are_previewed_retried_and_reached(stage: Stage) -> None:
    jobs = night(stage, "night-1")
    seen = stage.up.json("retry", "--tag", "night-1", "--dry-run")
    assert figures(seen) == (15, 12, {"reached": 3})
    ran = stage.up.cli("retry", "--tag", "night-1", "--yes", "--note", "mended", "--json")
    assert ran.returncode == 0, ran
    report = json.loads(ran.stdout)
    assert figures(report) == figures(seen)
    assert (report["state"], report["done"], report["skipped"]) == ("done", 12, [])
    again = stage.up.ended(failed(jobs), 120)
    assert sum(job.state is State.COMPLETED for job in again) == 10
    assert all(len(job.attempts) == 2 for job in again)
    assert {job.tags for job in again} == {("night-1", report["tag"])}
    reopened = [event for event in again[0].timeline if event.why == "mended"]
    assert [event.to for event in reopened] == [State.QUEUED]
    log = stage.up.json("audit")
    assert [each["action"] for each in log if each["facts"].get("action") == report["id"]] == [
        "retry",
        "retry.done",
    ]


def test_an_action_that_is_begun_and_left_alone_is_done_by_the_workers(stage: Stage) -> None:
    """As the console and the HTTP API do it, their message lost."""
    jobs = night(stage, "night-2")
    store = stage.up.dispatcher.store
    seen = store.bulk.preview(BulkActionKind.RETRY, Filter(tag="night-2"))
    store.bulk.create(seen)
    store.bulk.begin(seen.id, actor="console:ops", note="mended")
    redis_of(store).zadd(
        key_of(store, "bulk_actions_running"), {seen.id: 0}
    )  # as if its lease were over
    eventually(lambda: store.bulk.get(seen.id).over, "the act is over")
    assert store.bulk.get(seen.id).done == len(seen.ids) == 12
    again = stage.up.ended(failed(jobs), 120)
    assert sum(job.state is State.COMPLETED for job in again) == 10
    log = store.audit.read()
    assert {e.actor for e in log if e.facts.get("action") == seen.id} == {"console:ops"}

    def shown() -> bool:
        tasks = stage.flower.get(
            f"{stage.up.announced['flower_url']}/api/tasks",
            params={"taskname": "dispatcher.retrigger"},
            timeout=180,
        ).json()
        return any(
            seen.id in str(task["args"]) and task["state"] == "SUCCESS" for task in tasks.values()
        )

    eventually(shown, "Flower shows the retrigger")
