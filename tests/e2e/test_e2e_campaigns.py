"""The report of a campaign says what the provider's books say, to the credit."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import Any

from support.e2e_stack import SAY, Stage, numbers
from support.polling import eventually

TAG = "campaign:books"


def books(stage: Stage, people: set[str]) -> list[dict[str, Any]]:
    """Return the calls of these people by the books of the sandbox."""
    return [call for call in stage.sandbox.calls() if call["recipient"] in people]


def seconds(call: dict[str, Any]) -> int:
    """Return how long was talked in a call, as the provider counts: each second begun."""
    lasted = datetime.fromisoformat(call["ended_at"]) - datetime.fromisoformat(call["placed_at"])
    return ceil(lasted / timedelta(seconds=1)) if call["status"] == "ANSWERED" else 0


def test_a_report_equals_the_books(stage: Stage) -> None:
    """Redials, a retry, refusals and a conference among them; and other calls beside."""
    d = stage.up.dispatcher
    rows = [{"recipient": n, "redial": 0} for n in numbers("0001", 8) + numbers("0002", 3)]
    rows += [{"recipient": n, "redial": 1, "redial_after": 0.1} for n in numbers("0005", 3)]
    rows += [{"recipient": n} for n in (*numbers("0012", 1), *numbers("0003", 1))]
    jobs = [
        *(d.call(say=SAY, tags=[TAG], meta={"row": str(n)}, **row) for n, row in enumerate(rows)),
        d.conference(numbers("0001", 2), tags=[TAG]),
    ]
    stage.up.ended([stage.up.dispatcher.call(numbers("0001", 1)[0], say=SAY).id], 180)
    found = stage.up.ended([job.id for job in jobs], 180)
    unanswered = next(job for job in found if job.reason == "no_answer")
    stage.up.cli("retry", unanswered.id, "--yes")
    stage.up.ended([unanswered.id], 180)

    people = {number for job in found for number in job.numbers}

    def all_told() -> bool:
        return d.campaign(TAG).credits == sum(call["cost"] for call in books(stage, people))

    eventually(all_told, "the last cost is told", 180)
    report = stage.up.json("campaign", "show", "books")
    assert report["credits"] == sum(call["cost"] for call in books(stage, people)) > 0
    assert (report["jobs"], report["answered"], report["not_answered"]) == (17, 12, 3)
    assert (report["not_allowed"], report["failed"].get("call_failed")) == (1, 1)
    assert (report["waiting"], report["in_progress"]) == (0, 0)
    dialled = {each["attempt"]: each["dialled"] for each in report["by_attempt"]}
    assert dialled == {1: 17, 2: 4}
    spoken = {
        call["conferenceid"] or call["callid"]: seconds(call) for call in books(stage, people)
    }
    assert report["talked"] == sum(spoken.values()) > 0
