"""A job as its record tells of it, and as JSON shows it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from dispatcher.model.job import NEXT, Job, iso, iso_of
from dispatcher.model.kinds import Kind
from dispatcher.model.states import LIVE, TERMINAL, OnUncertain, Priority, State
from dispatcher.store import codec
from support.raw_records import as_written

RECORD = {
    "kind": "tts",
    "state": "queued",
    "priority": "normal",
    "to": "818012345678",
    "say": "Call me at +818099998888",
    "lang": "en",
    "attempts": "0",
    "spent": "0",
    "events": "1",
    "created": "1900000000000",
    "due": "1900000000000",
    "t0": "0 queued producer",
}
CREATED = datetime(2030, 3, 17, 17, 46, 40, tzinfo=UTC)


def job(record: dict[str, str] | None = None, next_at: float | None = None) -> Job:
    return codec.job("a" * 16, as_written(RECORD | (record or {})), next_at)


def test_what_a_record_leaves_out_is_none() -> None:
    fresh = job()
    assert (fresh.reason, fresh.hold_reason, fresh.outcome, fresh.key) == (None,) * 4
    assert (fresh.max_attempts, fresh.redial, fresh.redial_after) == (None,) * 3
    assert (fresh.on_uncertain, fresh.evidence_window, fresh.call_deadline) == (None,) * 3
    assert (fresh.cost, fresh.duration, fresh.expires_at, fresh.finished_at) == (None,) * 4
    assert (fresh.attempts, fresh.attempt, fresh.tags) == ((), None, ())
    assert fresh.created_at == fresh.due_at == CREATED


def test_a_zero_is_a_wish_and_not_left_out() -> None:
    wishing = job({"redial": "0", "redial_after": "0", "evidence_window": "0"})
    assert (wishing.redial, wishing.redial_after, wishing.evidence_window) == (0, 0, 0)


def test_a_full_record_is_read_whole() -> None:
    full = job(
        {
            "kind": "conference",
            "state": "completed",
            "priority": "urgent",
            "to": "818012345678,818012345679",
            "tags": "db1,東京",
            "key": "alert-1",
            "max_attempts": "5",
            "redial_after": "1500",
            "on_uncertain": "redial",
            "1.cost": "12.5",
            "duration": "30",
            "outcome": "ANSWERED",
            "expires": "1900000060000",
            "finished": "1900000030000",
            "attempts": "1",
            "spent": "1",
            "1.sent": "1900000001000",
            "1.ended": "1900000030000",
            "1.result": "answered",
            "1.callid": "c1,c2",
            "1.conference": "f1",
        }
    )
    assert full.kind is Kind.CONFERENCE
    assert full.priority is Priority.URGENT
    assert full.numbers == ("+818012345678", "+818012345679")
    assert full.tags == ("db1", "東京")
    assert (full.max_attempts, full.redial_after) == (5, 1.5)
    assert full.on_uncertain is OnUncertain.REDIAL
    assert (full.cost, full.duration) == (Decimal("12.5"), 30)
    assert full.expires_at == CREATED + timedelta(minutes=1)
    assert full.attempt is not None
    assert full.attempt.callids == ("c1", "c2")
    assert full.attempt.sent_at == CREATED + timedelta(seconds=1)


def test_an_attempt_without_a_call_has_no_callids() -> None:
    [attempt] = job({"attempts": "1"}).attempts
    assert attempt.number == 1
    assert attempt.callids == ()


@pytest.mark.parametrize(
    ("state", "reason", "hold_reason"), [("held", None, "credit"), ("failed", "credit", None)]
)
def test_the_reason_of_a_hold_is_not_the_reason_of_a_failure(
    state: str, reason: str | None, hold_reason: str | None
) -> None:
    stopped = job({"state": state, "reason": "credit"})
    assert (stopped.reason, stopped.hold_reason) == (reason, hold_reason)


def test_only_what_rang_in_vain_since_the_retrigger_counts() -> None:
    results = ["no_answer", "no_answer", "not_placed", "no_answer"]
    record = {f"{n}.result": result for n, result in enumerate(results, 1)}
    assert job(record | {"attempts": "4"}).unanswered == 3
    assert job(record | {"attempts": "4", "counted_from": "2"}).unanswered == 1


def test_the_timeline_tells_who_did_what_why_and_from_where() -> None:
    events = job(
        {
            "events": "4",
            "t1": "1500 dialing worker-1",
            "t2": "2500 held:credit worker-1 Not enough credits,\nrequired: 20",
            "t3": "3500 queued gate",
        }
    ).timeline
    assert [(event.before, event.to, event.reason) for event in events] == [
        (None, "queued", None),
        ("queued", "dialing", None),
        ("dialing", "held", "credit"),
        ("held", "queued", None),
    ]
    assert events[2].actor == "worker-1"
    assert events[2].why == "Not enough credits,\nrequired: 20"
    assert events[2].at == CREATED + timedelta(seconds=2.5)


def test_a_missing_line_of_the_timeline_hides_no_other() -> None:
    events = job({"events": "3", "t2": "9 dialing worker-1"}).timeline
    assert [event.to for event in events] == ["queued", "dialing"]


@pytest.mark.parametrize("state", sorted(LIVE))
def test_a_live_job_says_what_happens_next(state: State) -> None:
    action = job({"state": state}, next_at=1900000060000).next_action
    assert action is not None
    assert action.what == NEXT[state]


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_nothing_happens_next_to_a_job_that_ended(state: State) -> None:
    ended = job({"state": state})
    assert ended.terminal
    assert ended.next_action is None


def test_a_moment_is_named_where_time_decides() -> None:
    scheduled = job({"state": "scheduled"}, next_at=1900000060000).next_action
    assert scheduled is not None
    assert scheduled.at == CREATED + timedelta(minutes=1)


def test_what_is_in_line_has_no_moment_although_its_deadline_is_kept() -> None:
    queued = job({"state": "queued"}, next_at=1900000060000).next_action
    assert queued is not None
    assert queued.at is None


FIELDS = {
    *("id", "kind", "state", "reason", "hold_reason", "outcome", "priority", "recipient"),
    *("caller", "tags", "key", "created_at", "due_at", "expires_at", "finished_at", "attempts"),
    *("callid", "conferenceid", "cost", "duration", "next_action", "timeline"),
}


def test_json_has_the_published_fields() -> None:
    shown = job({"attempts": "1", "1.callid": "c1", "1.cost": "12.5"}).to_dict()
    assert shown.keys() >= FIELDS
    assert "participants" not in shown
    assert json.loads(json.dumps(shown)) == shown
    assert (shown["callid"], shown["cost"]) == ("c1", 12.5)
    assert shown["attempts"][0].keys() == {
        *("number", "started_at", "sent_at", "ended_at", "result", "callid"),
        *("conferenceid", "error", "cost", "provider", "account", "recipients", "duration"),
    }
    assert shown["next_action"].keys() == {"what", "at"}


def test_an_attempt_says_whom_it_called_by_whom_and_masked() -> None:
    attempt = job({"attempts": "1", "1.provider": "fake", "to": "818012345678"})
    whole, masked = (attempt.to_dict(mask=mask)["attempts"][0] for mask in (False, True))
    assert (whole["provider"], whole["account"]) == ("fake", "default")
    assert whole["recipients"] == ["+818012345678"]
    assert masked["recipients"] == ["+8180****5678"]


def test_a_conference_has_participants_instead_of_a_recipient() -> None:
    shown = job({"kind": "conference", "to": "818012345678,818012345679"}).to_dict()
    assert shown["participants"] == ["+818012345678", "+818012345679"]
    assert "recipient" not in shown


@pytest.mark.parametrize(
    "record",
    [
        {"key": "+818012345678"},
        {"kind": "conference", "to": "818012345678,818012345679"},
        {"caller": "+818012345678"},
        {"outcome": "BUSY +818012345678"},
    ],
    ids=["number as key", "conference", "number as caller", "number in the provider's word"],
)
def test_a_masked_job_shows_neither_numbers_nor_what_is_said(record: dict[str, Any]) -> None:
    shown = json.dumps(job(record).to_dict(mask=True))
    assert "+8180****5678" in shown
    assert "80123456" not in shown
    assert "80999988" not in shown


def test_further_fields_are_shown_where_what_is_said_is() -> None:
    with_params = job({"params": '{"jp_line":"hunter2"}'})
    assert with_params.to_dict()["params"] == {"jp_line": "hunter2"}
    assert "hunter2" not in json.dumps(with_params.to_dict(mask=True)) + repr(with_params)
    assert job().to_dict()["params"] == {}


def test_own_fields_come_back_with_numbers_masked_where_the_job_is() -> None:
    with_meta = job({"meta": '{"patient":"A-4711","phone":"+818012345678"}'})
    assert with_meta.to_dict()["meta"] == {"patient": "A-4711", "phone": "+818012345678"}
    masked = with_meta.to_dict(mask=True)["meta"]
    assert masked == {"patient": "A-4711", "phone": "+8180****5678"}
    assert "4711" not in repr(with_meta)
    assert job().to_dict()["meta"] == {}


def test_times_are_utc_with_milliseconds() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert iso(datetime(2030, 1, 31, 9, 0, 0, 123456, tzinfo=tokyo)) == "2030-01-31T00:00:00.123Z"
    assert iso(None) is None
    assert iso_of(1900000000500) == "2030-03-17T17:46:40.500Z"
    assert job().to_dict()["created_at"] == "2030-03-17T17:46:40.000Z"
