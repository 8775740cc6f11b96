"""`retry`, `cancel`, `reached` and `prioritise` by filter; `actions`; `audit`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from unittest.mock import patch

import pytest

from dispatcher.cli.bulk_actions import REMEDIES
from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.filters import Filter
from dispatcher.model.request import JobRequest
from dispatcher.model.states import State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.bulk import Bulk
from dispatcher.store.holds import PauseScope
from dispatcher.store.values import Claim
from support.claims import claim_one
from support.cli_shell import Ran, Shell
from support.redis_inside import redis_of

NO_ANSWER = Decision(State.FAILED, "no_answer", "it rang in vain", "no_answer")
LOST = Decision(State.UNCERTAIN, "maybe_placed", "the answer was lost", delay=300)
ANSWERED = Decision(State.COMPLETED, "answered", "it was answered")


def made(store: Store, decision: Decision | None = None, **fields: object) -> str:
    request = {"recipient": "+818011234567", "say": "Hi", "tags": ["t"], **fields}
    id_ = store.jobs.enqueue(JobRequest.of(request)).id
    if decision is not None:
        claimed = claim_one(store, id_, token=id_, lease=30)
        assert isinstance(claimed, Claim)
        store.calls.settle(id_, claimed.attempt, decision)
    return id_


@pytest.fixture
def some(store: Store) -> dict[str, list[str]]:
    """Three that failed, one that was reached, one uncertain, one that waits."""
    kinds: dict[str, tuple[Decision | None, int]] = {
        "failed": (NO_ANSWER, 3),
        "completed": (ANSWERED, 1),
        "uncertain": (LOST, 1),
        "queued": (None, 1),
    }
    return {
        name: [made(store, decision) for _ in range(n)] for name, (decision, n) in kinds.items()
    }


def lines(ran: Ran) -> list[str]:
    """What was printed, line by line, blanks aside."""
    return [" ".join(line.split()) for line in ran.out.splitlines()]


def states(store: Store, ids: list[str]) -> set[State]:
    return {store.jobs.get(id_).state for id_ in ids}


# -- previews ------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_be_done_and_does_nothing(
    shell: Shell, store: Store, some: dict[str, list[str]]
) -> None:
    ran = shell("retry", "--tag", "t", "--dry-run")
    assert (ran.code, ran.err) == (0, "")
    head, figures, left_out, *reasons = lines(ran)
    assert head == "retry: tag=t"
    assert figures == "3 of 6 would be retried, for about 60 credits"
    assert left_out == "excluded:"
    assert sorted(reasons) == [
        f"1 a call may be under way; nobody knows yet ({REMEDIES['uncertain']})",
        "1 it has not ended: it waits or is being called",
        "1 somebody was reached",
    ]
    assert states(store, some["failed"]) == {State.FAILED}
    assert list(store.audit.read()) == []


def test_a_dry_run_in_json_has_figures_and_ids(shell: Shell, some: dict[str, list[str]]) -> None:
    found = shell("retry", "--tag", "t", "--dry-run", "--json").json
    assert (found["action"], found["selection"]) == ("retry", "tag=t")
    assert (found["matched"], found["selected"]) == (6, 3)
    assert (found["expected_credits"], found["may_have_been_called"]) == (60.0, 0)
    assert {each["reason"]: each["ids"] for each in found["excluded"]} == {
        "reached": some["completed"],
        "uncertain": some["uncertain"],
        "not_ended": some["queued"],
    }


def test_a_dry_run_of_ids_does_nothing_either(
    shell: Shell, store: Store, some: dict[str, list[str]]
) -> None:
    found = shell("retry", *some["failed"], "nosuchjob", "--dry-run", "--json").json
    assert (found["selected"], found["excluded"][0]["reason"]) == (3, "gone")
    assert states(store, some["failed"]) == {State.FAILED}


# -- acting --------------------------------------------------------------------------------


def test_a_retry_by_filter_reports_what_was_done_and_how_to_hold_it(
    shell: Shell, store: Store, some: dict[str, list[str]]
) -> None:
    ran = shell("retry", "--state", "failed", "--yes", "--note", "mended", "--json")
    assert ran.code == 0
    report = ran.json
    assert (report["state"], report["selected"], report["done"]) == ("done", 3, 3)
    assert (report["actor"], report["note"]) == ("cli:sam", "mended")
    assert states(store, some["failed"]) == {State.QUEUED}
    listed = shell("list", "--tag", report["tag"], "--json").json
    assert {job["id"] for job in listed} == set(some["failed"])
    shown = shell("actions", "show", report["id"], "--json").json
    assert shown == report


@pytest.mark.parametrize(
    ("command", "of", "becomes"),
    [
        ("cancel", ["queued", "uncertain"], State.CANCELLED),
        ("reached", ["uncertain"], State.COMPLETED),
        ("retry --uncertain", ["failed", "uncertain"], State.QUEUED),
    ],
)
def test_each_action_takes_a_filter(
    shell: Shell, store: Store, command: str, of: list[str], becomes: State
) -> None:
    kinds = {"queued": None, "uncertain": LOST, "failed": NO_ANSWER}
    meant = [made(store, kinds[name]) for name in of]
    ran = shell(*command.split(), "--tag", "t", "--yes", "--json")
    assert (ran.code, ran.json["done"]) == (0, len(meant))
    assert states(store, meant) == {becomes}


def test_prioritise_takes_a_filter(shell: Shell, store: Store, some: dict[str, list[str]]) -> None:
    ran = shell("prioritise", "--tag", "t", "--priority", "urgent", "--yes")
    assert "1 of 6 would be set to urgent" in lines(ran)
    assert "1 of 1 set to urgent" in lines(ran)
    assert store.jobs.get(some["queued"][0]).priority == "urgent"
    assert store.jobs.get(some["failed"][0]).priority == "normal"


def test_what_changed_after_the_preview_is_told_with_the_first_ids(
    shell: Shell, store: Store, some: dict[str, list[str]]
) -> None:
    reached = some["failed"][1]

    def begin(self: Bulk, *args: object, **kwargs: object) -> bool:
        store.jobs.retry(reached, actor="cli:kim")
        return begin_really(self, *args, **kwargs)

    begin_really: Callable[..., bool] = Bulk.begin
    with patch.object(Bulk, "begin", begin):
        ran = shell("retry", "--state", "failed", "--yes")
    assert "2 of 3 retried" in lines(ran)
    assert f"1 it has not ended: it waits or is being called: {reached}" in lines(ran)


def test_a_retry_of_an_uncertain_job_says_what_else_can_be_done(
    shell: Shell, store: Store, some: dict[str, list[str]]
) -> None:
    (id_,) = some["uncertain"]
    ran = shell("retry", id_)
    assert ran.code == 1
    assert "a call may be under way" in ran.complaint
    assert "--uncertain" in ran.complaint
    ran = shell("retry", id_, "--uncertain")
    assert ran.code == 0
    assert ran.err.startswith("warning: a call may be under way")
    assert store.jobs.get(id_).state is State.QUEUED


def test_nobody_who_is_asked_and_says_no_has_anything_done(
    shell: Shell, store: Store, some: dict[str, list[str]]
) -> None:
    for answer, code, becomes in (("n\n", 1, State.FAILED), ("y\n", 0, State.QUEUED)):
        ended, shown = shell.at_a_terminal(answer, "retry", "--state", "failed")
        assert ended == code
        assert "retry: these 3 jobs, for about 60 credits? [y/N]" in shown
        assert states(store, some["failed"]) == {becomes}


def test_an_action_that_is_interrupted_is_handed_to_the_workers(
    shell: Shell, store: Store, some: dict[str, list[str]]
) -> None:
    def interrupt(*_: object, **__: object) -> bool:
        raise KeyboardInterrupt

    with patch.object(Bulk, "drive", interrupt):
        ran = shell("retry", "--state", "failed", "--yes")
    assert ran.code == 130
    (action,) = store.bulk.recent()
    assert f"actions stop {action.id}" in ran.err
    (message,) = redis_of(store).lrange("vd.control", 0, -1)
    assert json.loads(message)["headers"]["task"] == "dispatcher.retrigger"
    assert action.state == "running"


def test_nothing_to_do_is_no_error(shell: Shell, store: Store) -> None:
    ran = shell("retry", "--state", "failed", "--yes")
    assert (ran.code, ran.err) == (0, "")
    assert "0 of 0 retried" in ran.out
    assert list(store.audit.read()) == []


# -- bulk actions ----------------------------------------------------------------------------------


def test_an_action_is_listed_and_stopped(
    shell: Shell, store: Store, some: dict[str, list[str]]
) -> None:
    seen = store.bulk.preview(BulkActionKind.RETRY, Filter(tag="t"))
    store.bulk.create(seen)
    store.bulk.begin(seen.id, actor="console:ops", note="mended")
    store.bulk.advance(seen.id, 1)
    assert seen.id in shell("actions", "list").out
    (row,) = shell("actions", "list", "--json").json
    assert (row["state"], row["done"], row["remaining"]) == ("running", 1, 2)
    ran = shell("actions", "stop", seen.id, "--note", "wrong list")
    assert ran.code == 0
    assert "2 not done, left as they are" in " ".join(ran.out.split())
    again = shell("actions", "stop", seen.id)
    assert again.code == 1
    assert "is not running: it is stopped" in again.complaint


def test_an_action_that_nobody_knows_is_said_to_be_unknown(shell: Shell) -> None:
    for command in ("show", "stop"):
        ran = shell("actions", command, "nosuchact")
        assert ran.code == 1
        assert "there is no action 'nosuchact'" in ran.complaint


# -- audit ---------------------------------------------------------------------------------


def test_the_audit_log_has_every_action_of_the_command_line(
    shell: Shell, store: Store, some: dict[str, list[str]]
) -> None:
    (waits,) = some["queued"]
    shell("cancel", waits, "--note", "ask +818011234567")
    shell("pause", "--tag", "t", "--why", "night")
    shell("resume", "--tag", "t", "--note", "morning")
    shell("limit", "set", "tag:t", "5/day", "--note", "spring")
    shell("limit", "clear", "tag:t")
    shell("retry", "--state", "failed", "--yes")
    key = shell("keys", "create", "shop", "--scope", "read", "--json").json["id"]
    shell("keys", "revoke", key)
    found = shell("audit", "--json").json
    assert {each["actor"] for each in found} == {"cli:sam"}
    assert [(each["action"], each["target"], each["note"]) for each in found] == [
        ("cancel", f"job:{waits}", "ask +8180****4567"),
        ("pause", "paused:tag:t", "night"),
        ("resume", "paused:tag:t", "morning"),
        ("limit.set", "tag:t", "spring"),
        ("limit.clear", "tag:t", ""),
        ("retry", "state=failed", ""),
        ("retry.done", "state=failed", ""),
        ("keys.create", f"key:{key}", ""),
        ("keys.revoke", f"key:{key}", ""),
    ]
    assert "+818011234567" in shell("audit", "--unmask").out
    assert "limit.set" in shell("audit").out


def test_the_audit_log_is_exported_whole_and_no_cell_is_a_formula(
    shell: Shell, store: Store
) -> None:
    for note in ("=1+1", "plain, with a comma"):
        store.holds.pause(PauseScope(), actor="cli:kim", note=note)
        store.holds.end("paused")
    for _ in range(60):
        store.audit.record("cli:kim", "look", "account")
    ran = shell("audit", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert [row["note"] for row in rows[:2]] == ["'=1+1", "plain, with a comma"]
    assert len(rows) == 62
    lines = shell("audit", "--format", "jsonl").out.splitlines()
    assert [json.loads(line)["action"] for line in lines] == [row["action"] for row in rows]
    assert shell("audit", "--format", "jsonl", "--until", "1h").out == ""
    assert len(shell("audit", "--json", "--limit", "5").json) == 5


# -- list ----------------------------------------------------------------------------------


def test_a_list_is_gone_on_with_by_its_cursor(
    shell: Shell, store: Store, some: dict[str, list[str]]
) -> None:
    first = shell("list", "--limit", "4", "--json")
    assert first.err.startswith("there may be more: add --cursor ")
    rest = shell("list", "--json", "--cursor", first.err.split()[-1])
    assert rest.err == ""
    listed = [job["id"] for job in first.json + rest.json]
    assert listed == [job["id"] for job in shell("list", "--json").json]
    assert len(listed) == 6


def test_jobs_are_listed_by_who_enqueued_them(shell: Shell, some: dict[str, list[str]]) -> None:
    mine = shell("call", "+818011234567", "--say", "Hi", "--json").json["id"]
    assert [job["id"] for job in shell("list", "--producer", "cli", "--json").json] == [mine]
    assert len(shell("list", "--producer", "producer", "--json").json) == len(
        [id_ for ids in some.values() for id_ in ids]
    )
