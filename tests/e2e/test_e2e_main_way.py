"""The main way: somebody is to be told by phone, and it can be seen what became of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dispatcher.client.dispatcher import JobHandle
from dispatcher.model.states import State
from support.e2e_stack import SAY, Stage, number


def test_the_command_line_calls_and_waits_for_the_answer(stage: Stage) -> None:
    who = number("0001")
    job = stage.up.json("call", who, "--say", SAY, "--wait", "--tag", "zoo")
    assert (job["state"], job["outcome"], job["recipient"]) == ("completed", "ANSWERED", who)
    assert stage.sandbox.books()[who] == 1
    assert stage.up.json("show", job["id"])["attempts"][0]["callid"] == job["callid"]


def test_the_command_line_fails_where_nobody_answers(stage: Stage) -> None:
    done = stage.up.cli("call", number("0002"), "--say", SAY, "--wait", "--json")
    job = json.loads(done.stdout)
    assert (done.returncode, job["state"], job["reason"]) == (1, "failed", "no_answer")


def test_a_code_is_said_and_then_forgotten(stage: Stage) -> None:
    who = number("0001")
    job = stage.up.json("call", who, "--code", "276983", "--wait")
    assert (job["state"], job["priority"], job["code"]) == ("completed", "urgent", "hidden")
    said = [each["tts_message"] for each in stage.sandbox.calls() if each["recipient"] == who]
    assert said == [
        "Hello. Your code is: 2,,7,,6,,9,,8,,3. Once more, your code is: 2,,7,,6,,9,,8,,3."
    ]
    refused = stage.up.cli("retry", job["id"], "--yes")
    assert refused.returncode == 1


def test_an_answer_that_is_too_short_counts_as_not_reached_and_costs(stage: Stage) -> None:
    job = stage.up.dispatcher.call(number("0001"), say=SAY, answered_after="1h").wait(60)
    assert (job.state, job.reason, job.outcome) == (State.FAILED, "no_answer", "ANSWERED")
    assert job.attempts[0].result == "too_short"
    assert job.cost
    assert "less than answered_after (3600 s)" in job.timeline[-1].why


def test_a_producer_in_python_waits_for_the_outcome(stage: Stage) -> None:
    job = stage.up.dispatcher.call(number("0001"), say=SAY).wait(180)
    assert job.outcome == "ANSWERED"


def test_a_bad_request_among_many_stops_none_of_the_others(stage: Stage) -> None:
    good = [{"recipient": number("0001"), "say": SAY} for _ in range(50)]
    bad = {"recipient": "+8108012345678", "say": SAY}
    bulk = stage.up.dispatcher.call_many([*good[:25], bad, *good[25:]]).collect()
    assert [index for index, _ in bulk.refused] == [25]
    jobs = stage.up.ended([handle.id for handle in bulk.jobs], 40)
    assert [job.state for job in jobs] == [State.COMPLETED] * 50
    books = stage.sandbox.books()
    assert [books[row["recipient"]] for row in good] == [1] * 50


def test_a_conference_connects_two(stage: Stage) -> None:
    two = [number("0001"), number("0001")]
    job = stage.up.json("conference", *two, "--lang", "en", "--wait")
    assert (job["kind"], job["state"], job["participants"]) == ("conference", "completed", two)
    assert job["conferenceid"]
    assert len(job["callid"].split(",")) == 2


def test_a_recording_is_played(stage: Stage) -> None:
    url = "http://example.com/wombats.mp3"
    job = stage.up.dispatcher.call(number("0001"), play=url).wait(180)
    assert (job.kind, job.play, job.outcome) == ("playback", url, "ANSWERED")


def test_a_call_for_later_waits_for_its_time(stage: Stage) -> None:
    handle = stage.up.dispatcher.call(number("0001"), say=SAY, at="1s")
    assert handle.refresh().state is State.SCHEDULED
    job = handle.wait(180)
    assert job.state is State.COMPLETED
    assert job.attempts[0].sent_at >= job.due_at
    assert (job.due_at - job.created_at).total_seconds() == 1


def test_the_same_key_makes_one_job_and_one_call(stage: Stage) -> None:
    who = number("0001")
    ask = ("call", who, "--say", SAY, "--key", f"alert-{who}")
    first, second = stage.up.json(*ask), stage.up.json(*ask, "--wait")
    assert first["id"] == second["id"]
    assert stage.sandbox.books()[who] == 1


def test_the_same_key_with_another_request_is_an_error(stage: Stage) -> None:
    who = number("0001")
    stage.up.dispatcher.call(who, say=SAY, key=f"alert-{who}")
    done = stage.up.cli("call", who, "--say", "All are caught.", "--key", f"alert-{who}")
    assert (done.returncode, done.stdout) == (1, "")
    assert "belongs to another request" in done.stderr


def test_an_invalid_number_is_wrong_usage_and_never_shown_whole(stage: Stage) -> None:
    done = stage.up.cli("call", "+8108012345678", "--say", SAY)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: recipient: ")


ENDS: dict[str, tuple[State, str | None, str | None, int]] = {
    "0001": (State.COMPLETED, None, "ANSWERED", 1),
    "0002": (State.FAILED, "no_answer", "NO ANSWER", 1),
    "0003": (State.FAILED, "call_failed", "FAILED", 1),
    "0005": (State.FAILED, "no_answer", "NO ANSWER", 1),
    "0006": (State.COMPLETED, None, "ANSWERED", 1),
    "0007": (State.FAILED, "outcome_unknown", None, 0),
    "0008": (State.FAILED, "outcome_unknown", None, 1),
    "0009": (State.FAILED, "outcome_unknown", None, 1),
    "0010": (State.COMPLETED, None, "ANSWERED", 1),
    "0011": (State.FAILED, "outcome_unknown", None, 1),
    "0012": (State.FAILED, "not_allowed", None, 0),
    "0013": (State.FAILED, "no_answer", "BUSY", 1),
    "0014": (State.COMPLETED, None, "ANSWERED", 1),
    "4711": (State.COMPLETED, None, "ANSWERED", 1),
}
"""By a number's last digits: state, reason, the provider's word, and calls in its books."""


WISHES: dict[str, dict[str, Any]] = {
    "0004": {},
    "0005 redialled": {"redial": 1, "redial_after": "1s"},
    "0009 redialled": {"on_uncertain": "redial", "max_attempts": 2},
    "0004 with a deadline": {"call_deadline": "2s"},
    "0013 redialled": {"redial": 1, "redial_after": "1s"},
}
"""More calls, by a number's last digits, with what is wished of them."""


@pytest.fixture(scope="module")
def called(stage: Stage) -> dict[str, JobHandle]:
    """A call to every number of the sandbox, all on their way together."""
    wanted = {**{behaviour: {} for behaviour in ENDS}, **WISHES}
    return {
        name: stage.up.dispatcher.call(number(name[:4]), say=SAY, **wishes)
        for name, wishes in wanted.items()
    }


@pytest.mark.parametrize("behaviour", ENDS)
def test_every_number_of_the_sandbox_ends_as_it_should(
    stage: Stage, called: dict[str, JobHandle], behaviour: str
) -> None:
    job = called[behaviour].wait(180)
    placed = stage.sandbox.books()[job.numbers[0]]
    assert (job.state, job.reason, job.outcome, placed) == ENDS[behaviour]


def test_a_throttled_call_spends_no_attempt(called: dict[str, JobHandle]) -> None:
    job = called["0006"].wait(180)
    assert [attempt.result for attempt in job.attempts] == ["throttled", "answered"]
    assert job.spent == 1


def test_an_uncertain_call_is_decided_when_the_evidence_window_is_over(
    called: dict[str, JobHandle],
) -> None:
    job = called["0009"].wait(180)
    uncertain, failed = job.timeline[-2:]
    assert (uncertain.to, failed.to) == (State.UNCERTAIN, State.FAILED)
    assert 2 <= (failed.at - uncertain.at).total_seconds() < 60  # in earnest, some minutes
    assert "may have been placed" in failed.why


def test_a_call_in_progress_cannot_be_cancelled(stage: Stage, called: dict[str, JobHandle]) -> None:
    id_ = called["0004"].id
    done = stage.up.cli("cancel", id_)
    assert done.returncode == 1
    assert done.stderr == f"error: job {id_} cannot be cancelled: it is in_progress\n"
    assert called["0004"].refresh().state is State.IN_PROGRESS


def test_a_call_that_ended_with_an_unknown_word_is_redialled_as_one_without_an_answer(
    called: dict[str, JobHandle],
) -> None:
    job = called["0013 redialled"].wait(180)
    assert (job.state, job.reason, job.outcome) == (State.FAILED, "no_answer", "BUSY")
    assert [attempt.result for attempt in job.attempts] == ["no_answer", "no_answer"]


def test_a_call_that_never_becomes_final_fails_at_its_deadline(
    called: dict[str, JobHandle],
) -> None:
    job = called["0004 with a deadline"].wait(180)
    assert (job.state, job.reason, job.outcome) == (State.FAILED, "outcome_unknown", "IN PROGRESS")


def test_who_does_not_answer_is_called_again_as_wished(
    stage: Stage, called: dict[str, JobHandle]
) -> None:
    job = called["0005 redialled"].wait(180)
    assert (job.state, job.outcome) == (State.COMPLETED, "ANSWERED")
    assert [attempt.result for attempt in job.attempts] == ["no_answer", "answered"]
    assert stage.sandbox.books()[job.numbers[0]] == 2


def test_a_redial_on_doubt_calls_twice_and_says_that_both_may_have_been_placed(
    stage: Stage, called: dict[str, JobHandle]
) -> None:
    job = called["0009 redialled"].wait(180)
    assert (job.state, job.reason) == (State.FAILED, "outcome_unknown")
    assert [attempt.result for attempt in job.attempts] == ["maybe_placed"] * 2
    assert stage.sandbox.books()[job.numbers[0]] == 2


def test_a_job_that_waits_can_be_cancelled(stage: Stage) -> None:
    handle = stage.up.dispatcher.call(number("0001"), say=SAY, at="1h")
    (job,) = stage.up.json("cancel", handle.id)["done"]
    assert (job["id"], job["state"]) == (handle.id, "cancelled")


def test_lists_and_counts_show_jobs_without_whole_numbers(stage: Stage) -> None:
    who = number("0001")
    handle = stage.up.dispatcher.call(who, say=SAY, tags=["listed"])
    handle.wait(180)
    done = stage.up.cli("list", "--tag", "listed", "--json")
    assert [row["id"] for row in json.loads(done.stdout)] == [handle.id]
    assert who not in done.stdout
    assert stage.up.json("stats")["jobs"]["completed"] > 0
