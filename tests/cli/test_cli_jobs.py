"""`call`, `conference` and `show`: a job, for programs and for people."""

from __future__ import annotations

from datetime import datetime, timedelta

from dispatcher.store import Store
from support.cli_jobs import (
    FIELDS,
    IN_VAIN,
    NUMBER,
    OTHER,
    OUT_OF_CREDIT,
    TEXT,
    TIME,
    add,
    dial,
    reach,
    settle,
)
from support.cli_shell import Shell

ATTEMPT = {
    "number",
    "started_at",
    "sent_at",
    "ended_at",
    "result",
    "callid",
    "error",
    "provider",
    "account",
}


def test_call_prints_the_new_job_whole(shell: Shell) -> None:
    options = ("--tag", "db1", "--tag", "disk", "--key", "k1", "--expires", "15m", "--lang", "ja")
    options += ("--param", "jp_line=1", "--param", "note=a=b")
    ran = shell("call", NUMBER, "--say", "ディスク", *options, "--priority", "urgent", "--json")
    assert (ran.code, ran.err) == (0, "")
    job = ran.json
    assert job.keys() >= {*FIELDS, "recipient"}
    assert (job["kind"], job["state"], job["priority"]) == ("tts", "queued", "urgent")
    assert (job["recipient"], job["say"], job["lang"]) == (NUMBER, "ディスク", "ja")
    assert (job["tags"], job["key"], job["attempts"]) == (["db1", "disk"], "k1", [])
    assert job["params"] == {"jp_line": "1", "note": "a=b"}
    assert job["next_action"].keys() == {"what", "at"}
    moments = [datetime.fromisoformat(job[name]) for name in ("created_at", "expires_at")]
    assert moments[1] - moments[0] == timedelta(minutes=15)


def test_conference_prints_its_participants(shell: Shell) -> None:
    job = shell("conference", NUMBER, OTHER, "--json").json
    assert job.keys() >= {*FIELDS, "participants"}
    assert (job["kind"], job["participants"]) == ("conference", [NUMBER, OTHER])


def test_the_same_key_again_prints_the_same_job(shell: Shell, store: Store) -> None:
    first, again = (
        shell("call", NUMBER, "--say", TEXT, "--key", "k1", "--json").json for _ in range(2)
    )
    assert first["id"] == again["id"]
    assert len(shell("list", "--json").json) == 1


def test_a_call_for_later_is_scheduled(shell: Shell) -> None:
    job = shell("call", NUMBER, "--play", "http://a.example/x.mp3", "--at", "2h", "--json").json
    assert (job["kind"], job["state"]) == ("playback", "scheduled")
    assert job["next_action"]["at"] == job["due_at"] > job["created_at"]


def test_the_real_script_prints_a_job_that_show_finds_again(shell: Shell) -> None:
    accepted = shell.run("call", NUMBER, "--say", "ディスク", "--lang", "ja", "--json")
    assert (accepted.code, accepted.err) == (0, "")
    assert shell.run("show", accepted.json["id"], "--json").json == accepted.json


def test_show_tells_everything_of_a_job(shell: Shell, store: Store) -> None:
    id_ = add(store)
    reach(store, id_)
    job = shell("show", id_, "--json").json
    assert job.keys() >= {*FIELDS, "recipient"}
    assert (job["recipient"], job["state"], job["outcome"]) == (NUMBER, "completed", "ANSWERED")
    assert (job["callid"], job["next_action"]) == ("call-1", None)
    (attempt,) = job["attempts"]
    assert attempt.keys() >= ATTEMPT
    assert (attempt["number"], attempt["result"], attempt["callid"]) == (1, "answered", "call-1")
    moves = [(event["from"], event["to"]) for event in job["timeline"]]
    assert moves == [
        (None, "queued"),
        ("queued", "dialing"),
        ("dialing", "in_progress"),
        ("in_progress", "completed"),
    ]
    moments = [job["created_at"], job["due_at"], job["finished_at"], attempt["ended_at"]]
    assert all(TIME.fullmatch(each) for each in moments)


def test_show_finds_a_job_by_its_call(shell: Shell, store: Store) -> None:
    id_ = add(store)
    dial(store, id_, "b160f404-3a66-42f5")
    assert shell("show", "b160f404-3a66-42f5", "--json").json["id"] == id_


def test_a_held_job_says_why_in_hold_reason(shell: Shell, store: Store) -> None:
    id_ = add(store)
    settle(store, id_, OUT_OF_CREDIT)
    job = shell("show", id_, "--json").json
    assert (job["state"], job["reason"], job["hold_reason"]) == ("held", None, "credit")


def test_people_are_shown_whole_jobs_too(shell: Shell, store: Store) -> None:
    id_ = add(store)
    settle(store, id_, IN_VAIN)
    ran = shell("show", id_)
    assert ran.code == 0
    for text in ("failed/no_answer", NUMBER, TEXT, "attempt 1", "NO ANSWER", "timeline"):
        assert text in ran.out


def test_own_fields_are_shown_by_name(shell: Shell) -> None:
    given = ("--meta", "patient_id=0047", "--meta", "ward=3")
    id_ = shell("call", NUMBER, "--say", TEXT, *given, "--json").json["id"]
    assert "patient_id=0047, ward=3" in shell("show", id_).out
