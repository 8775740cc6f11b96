"""`retry` and `cancel`: what they do to jobs, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dispatcher.store import Store
from support.cli_jobs import IN_VAIN, MASKED, add, dial, reach, settle
from support.cli_shell import Shell


def test_retry_reopens_a_failed_job_and_the_timeline_tells_who_and_why(
    shell: Shell, store: Store
) -> None:
    id_ = add(store)
    settle(store, id_, IN_VAIN)
    ran = shell("retry", id_, "--note", "Sam is back", "--expires", "1h", "--json")
    assert (ran.code, ran.err, ran.json["refused"]) == (0, "", [])
    (done,) = ran.json["done"]
    assert (done["id"], done["state"], done["recipient"]) == (id_, "queued", MASKED)
    job = shell("show", id_, "--json").json
    assert [attempt["result"] for attempt in job["attempts"]] == ["no_answer"]
    last = job["timeline"][-1]
    assert (last["from"], last["to"]) == ("failed", "queued")
    assert (last["actor"], last["why"]) == ("cli:sam", "Sam is back")
    assert job["expires_at"] is not None


def test_a_user_with_a_blank_in_the_name_is_still_the_one_who_did_it(
    shell: Shell, store: Store
) -> None:
    id_ = add(store)
    assert shell("cancel", id_, "--note", "not now", LOGNAME="sam smith").code == 0
    last = shell("show", id_, "--json").json["timeline"][-1]
    assert (last["actor"], last["why"]) == ("cli:samsmith", "not now")


@pytest.mark.parametrize(
    ("come_to", "why"),
    [
        (reach, "it was reached"),
        (dial, "it is in_progress, not ended"),
        (lambda *_: None, "it is queued, not ended"),
    ],
    ids=["completed", "in_progress", "queued"],
)
def test_retry_of_what_did_not_fail_is_refused(
    shell: Shell, store: Store, come_to: Callable[[Store, str], None], why: str
) -> None:
    id_ = add(store)
    come_to(store, id_)
    before = shell("show", id_, "--json").json
    ran = shell("retry", id_)
    assert (ran.code, ran.out) == (1, "")
    assert ran.complaint == f"job {id_} cannot be retried: {why}"
    assert shell("show", id_, "--json").json == before


@pytest.mark.parametrize(
    ("come_to", "state"),
    [(reach, "completed"), (dial, "in_progress")],
    ids=["completed", "in_progress"],
)
def test_cancel_of_what_was_dialled_is_refused(
    shell: Shell, store: Store, come_to: Callable[[Store, str], None], state: str
) -> None:
    id_ = add(store)
    come_to(store, id_)
    ran = shell("cancel", id_)
    assert (ran.code, ran.out) == (1, "")
    assert ran.complaint == f"job {id_} cannot be cancelled: it is {state}"


def test_cancel_ends_a_waiting_job_and_the_timeline_tells_who_and_why(
    shell: Shell, store: Store
) -> None:
    id_ = add(store)
    ran = shell.run("cancel", id_, "--note", "false alarm")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.split() == [id_, "cancelled"]
    job = shell("show", id_, "--json").json
    assert (job["state"], job["next_action"]) == ("cancelled", None)
    last = job["timeline"][-1]
    assert (last["actor"], last["why"]) == ("cli:sam", "false alarm")


@pytest.mark.parametrize("command", ["retry", "cancel"])
def test_of_many_what_can_be_done_is_done_and_the_rest_is_told(
    shell: Shell, store: Store, command: str
) -> None:
    good, reached = add(store), add(store)
    reach(store, reached)
    if command == "retry":
        settle(store, good, IN_VAIN)
    ran = shell(command, good, reached, "abcdefghijklmnop", good, "--json")
    assert ran.code == 1
    assert [job["id"] for job in ran.json["done"]] == [good]
    assert [each["id"] for each in ran.json["refused"]] == [reached, "abcdefghijklmnop"]
    assert [line.startswith("error: ") for line in ran.err.splitlines()] == [True, True]
    for each in ran.json["refused"]:
        assert each["why"] in ran.err
