"""What the commands print: for programs, for people, and to whoever stops reading."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dispatcher import __version__
from dispatcher.model.api_key import Scope
from dispatcher.model.call import CallRef
from dispatcher.model.request import JobRequest
from dispatcher.model.states import Reason, State
from dispatcher.policy import Decision
from dispatcher.store import Store
from support.cli_shell import Shell
from support.polling import eventually
from support.redis_inside import key_of, redis_of
from support.reports import ended

NUMBER, MASKED = "+818011234567", "+8180****4567"
OTHER = "+818011234568"
TEXT = "Disk full on db1"

FIELDS = {
    *("id", "kind", "state", "reason", "hold_reason", "outcome", "priority", "caller", "tags"),
    *("key", "created_at", "due_at", "expires_at", "finished_at", "attempts", "callid"),
    *("conferenceid", "cost", "duration", "next_action", "timeline"),
}
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
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

REACHED = Decision(State.COMPLETED, "answered", "ANSWERED", report=ended("ANSWERED"))
IN_VAIN = Decision(State.FAILED, "no_answer", "NO ANSWER", Reason.NO_ANSWER)
REFUSED = Decision(State.FAILED, "not_allowed", "country", Reason.NOT_ALLOWED)
OUT_OF_CREDIT = Decision(
    State.HELD, "held_credit", "Not enough credits", "credit", spent=False, hold="credit"
)


def add(store: Store, recipient: str = NUMBER, *, tags: tuple[str, ...] = ()) -> str:
    request = JobRequest.of({"recipient": recipient, "say": TEXT, "tags": tags})
    return store.jobs.enqueue(request).id


def dial(store: Store, id_: str, callid: str = "call-1") -> None:
    """Do what a worker does up to the placed call."""
    placed = Decision(State.IN_PROGRESS, "placed", "", delay=60, call=CallRef((callid,)))
    settle(store, id_, placed)


def settle(store: Store, id_: str, decision: Decision) -> None:
    """Claim a job and write what became of the attempt."""
    claim = store.queue.claim(id_, token=id_, lease=60)
    assert not isinstance(claim, State | None)
    assert store.calls.settle(id_, claim.attempt, decision) is decision.to


def reach(store: Store, id_: str, callid: str = "call-1") -> None:
    dial(store, id_, callid)
    assert store.calls.settle(id_, 1, REACHED) is State.COMPLETED


# -- a job in JSON -------------------------------------------------------------------------


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


def test_what_others_wrote_neither_breaks_nor_steers_the_terminal(
    shell: Shell, store: Store
) -> None:
    said = "[/b] :smile: [red]x \x1b[2J"
    id_ = shell("call", NUMBER, "--say", said, "--tag", "[/i]", "--json").json["id"]
    shown, listed = shell("show", id_), shell("list")
    assert (shown.code, listed.code) == (0, 0)
    assert "[/b] :smile: [red]x \\x1b[2J" in shown.out
    assert "\x1b" not in shown.out
    assert "[/i]" in listed.out


def test_a_terminal_that_knows_no_japanese_is_served_all_the_same(shell: Shell) -> None:
    id_ = shell("call", NUMBER, "--say", "ディスク", "--json").json["id"]
    ran = shell.run("show", id_, PYTHONIOENCODING="ascii")
    assert (ran.code, ran.err) == (0, "")
    assert r"\u30c7" in ran.out


# -- list and stats ------------------------------------------------------------------------


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_list_masks_numbers_and_says_nothing_of_the_texts(
    shell: Shell, store: Store, form: tuple[str, ...]
) -> None:
    add(store)
    add(store, OTHER)
    shell("conference", NUMBER, OTHER)
    ran = shell("list", *form)
    assert ran.code == 0
    assert MASKED in ran.out
    for secret in (NUMBER, OTHER, "8011234567", TEXT):
        assert secret not in ran.out


def test_list_prints_jobs_as_show_does_but_for_what_is_masked(shell: Shell, store: Store) -> None:
    id_ = add(store, tags=("db1",))
    (listed,) = shell("list", "--json").json
    shown = shell("show", id_, "--json").json
    assert listed.keys() >= {*FIELDS, "recipient"}
    unmasked = FIELDS - {"key"}
    assert {k: listed[k] for k in unmasked} == {k: shown[k] for k in unmasked}


def test_list_of_nothing_is_an_empty_list(shell: Shell) -> None:
    assert shell("list", "--json").json == []


@pytest.fixture
def five(store: Store) -> dict[str, str]:
    """Five jobs, of ten minutes to two days ago; their names are in no order of time."""
    now = int(time.time() * 1000)
    made: dict[str, str] = {}
    for name, minutes, recipient, tags in (
        ("queued", 10, "+818011110001", ("db1",)),
        ("reached", 60, "+818011110002", ("db1", "disk")),
        ("in_vain", 90, "+818011110003", ()),
        ("refused", 120, "+14155550102", ("disk",)),
        ("old", 2880, "+818011110002", ()),
    ):
        then = Store(redis_of(store), clock=lambda at=now - minutes * 60_000: at)
        made[name] = add(then, recipient, tags=tags)
    reach(store, made["reached"])
    settle(store, made["in_vain"], IN_VAIN)
    settle(store, made["refused"], REFUSED)
    return made


FILTERS: list[tuple[tuple[str, ...], list[str]]] = [
    ((), ["queued", "reached", "in_vain", "refused", "old"]),
    (("--state", "failed"), ["in_vain", "refused"]),
    (("--state", "failed", "--state", "completed"), ["reached", "in_vain", "refused"]),
    (("--state", "expired"), []),
    (("--reason", "no_answer"), ["in_vain"]),
    (("--reason", "nonsense"), []),
    (("--tag", "db1"), ["queued", "reached"]),
    (("--tag", "disk", "--state", "failed"), ["refused"]),
    (("--tag", "dis"), []),
    (("--recipient", "+818011110002"), ["reached", "old"]),
    (("--recipient", "0002"), ["reached", "old"]),
    (("--recipient", "102"), ["refused"]),
    (("--recipient", "+81801111000"), []),
    (("--since", "30m"), ["queued"]),
    (("--since", "100m"), ["queued", "reached", "in_vain"]),
    (("--until", "100m"), ["refused", "old"]),
    (("--since", "1d", "--until", "80m"), ["in_vain", "refused"]),
    (("--limit", "2"), ["queued", "reached"]),
    (("--state", "failed", "--limit", "1"), ["in_vain"]),
]


@pytest.mark.parametrize(("options", "names"), FILTERS)
def test_list_shows_what_is_meant_newest_first(
    shell: Shell, five: dict[str, str], options: tuple[str, ...], names: list[str]
) -> None:
    listed = [job["id"] for job in shell("list", "--json", *options).json]
    if "--recipient" in options:  # found by number, they come in no order of time
        listed.sort(key=list(five.values()).index)
    assert listed == [five[name] for name in names]


def test_list_finds_the_jobs_of_a_key_whoever_asked_for_them(shell: Shell, store: Store) -> None:
    store.api_keys.create("billing", [Scope.ENQUEUE])
    asked = JobRequest.of({"recipient": "+818012340001", "say": "Hello", "key": "alert-1"})
    producers = {"": "cli", "billing": "billing"}  # by the scopes of their keys
    ids = [store.jobs.enqueue(asked, scope=s, actor=a).id for s, a in producers.items()]
    found = shell("list", "--key", "alert-1", "--json").json
    assert {job["id"] for job in found} == set(ids)
    (mine,) = shell("list", "--key", "alert-1", "--producer", "billing", "--json").json
    assert mine["id"] == ids[1]
    assert shell("list", "--key", "alert-2", "--json").json == []


def test_list_takes_moments_with_a_zone(shell: Shell, five: dict[str, str]) -> None:
    moment = (datetime.now(UTC) - timedelta(minutes=100)).isoformat()
    listed = shell("list", "--json", "--since", moment.replace("+00:00", "Z")).json
    assert [job["id"] for job in listed] == [five[n] for n in ("queued", "reached", "in_vain")]


def test_stats_counts_jobs_by_state_and_reason(shell: Shell, five: dict[str, str]) -> None:
    ran = shell("stats", "--json")
    assert (ran.code, ran.err) == (0, "")
    jobs = {state: number for state, number in ran.json["jobs"].items() if number}
    assert jobs == {"queued": 2, "completed": 1, "failed": 2}
    assert ran.json["reasons"]["failed"] == {"no_answer": 1, "not_allowed": 1}
    assert ran.json["holds"] == []
    assert TIME.fullmatch(ran.json["at"])


def test_stats_tells_of_a_closed_gate(shell: Shell, store: Store) -> None:
    settle(store, add(store), OUT_OF_CREDIT)
    (hold,) = shell("stats", "--json").json["holds"]
    assert (hold["name"], hold["why"]) == ("credit", "Not enough credits")
    assert "Calls are held: Not enough credits" in shell("stats").out


def test_balance_is_the_providers_and_stats_remembers_it(
    shell: Shell, provider: dict[str, str]
) -> None:
    ran = shell("balance", "--json", **provider)
    assert (ran.code, ran.err) == (0, "")
    assert (ran.json["balance"], ran.json["holds"]) == (500, [])
    assert shell("stats", "--json").json["balance"] == 500
    assert shell("balance").out.startswith("500 credits, checked ")


def test_balance_needs_no_redis(nowhere: Shell, provider: dict[str, str]) -> None:
    assert nowhere("balance", "--json", **provider).json == {"balance": 500, "holds": []}


# -- retry and cancel ----------------------------------------------------------------------


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


# -- waiting -------------------------------------------------------------------------------


def newest(store: Store) -> str | None:
    """Return the id of a job that somebody waits for, once somebody listens."""
    channels: Any = redis_of(store).pubsub_channels(key_of(store, "job", "*"))
    return channels[0].decode().rpartition(":")[2] if channels else None


@pytest.mark.parametrize(
    ("decision", "code", "state"),
    [(REACHED, 0, "completed"), (IN_VAIN, 1, "failed")],
    ids=["reached", "in vain"],
)
def test_wait_ends_with_the_job_and_says_by_its_code_whether_it_was_reached(
    shell: Shell, store: Store, decision: Decision, code: int, state: str
) -> None:
    process = shell.start("call", NUMBER, "--say", TEXT, "--wait", "--json")
    eventually(lambda: newest(store) or process.poll() is not None)
    id_ = newest(store)
    assert id_
    dial(store, id_)
    store.calls.settle(id_, 1, decision)
    announced = time.monotonic()
    ran = shell.end(process)
    assert time.monotonic() - announced < 28  # it was told: looking by itself takes 30
    assert (ran.code, ran.err) == (code, f"job {id_}: waiting until it has ended\n")
    assert (ran.json["id"], ran.json["state"]) == (id_, state)


def test_wait_gives_up_at_its_timeout_and_the_job_goes_on(shell: Shell, store: Store) -> None:
    started = time.monotonic()
    ran = shell("call", NUMBER, "--say", TEXT, "--wait", "--timeout", "1s", "--json")
    assert 1 <= time.monotonic() - started < 28
    assert ran.code == 1
    _, complaint = ran.err.splitlines()
    assert complaint.startswith(f"error: job {ran.json['id']} is still queued: it is in line: ")
    assert complaint.endswith("; the job continues")
    assert store.jobs.get(ran.json["id"]).state is State.QUEUED


def test_ctrl_c_ends_the_wait_and_not_the_job(shell: Shell, store: Store) -> None:
    process = shell.start("call", NUMBER, "--say", TEXT, "--wait")
    eventually(lambda: newest(store) or process.poll() is not None)
    id_ = newest(store)
    assert process.stderr
    assert process.stderr.readline() == f"job {id_}: waiting until it has ended\n".encode()
    process.send_signal(signal.SIGINT)
    ran = shell.end(process)
    assert (ran.code, ran.out) == (130, "")
    assert ran.err == f"job {id_} is queued; it continues\n"
    assert id_
    assert store.jobs.get(id_).state is State.QUEUED


# -- whoever reads -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("jobs", "form"),
    [(1, ("--json",)), (300, ())],
    ids=["less than a buffer", "more than a pipe holds"],
)
def test_a_reader_that_has_enough_is_left_in_peace(
    shell: Shell, store: Store, jobs: int, form: tuple[str, ...]
) -> None:
    for _ in range(jobs):
        add(store)
    process = shell.start("list", "--limit", "1000", *form)
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    err = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(30) == 1
    assert err == ""


def test_a_head_that_takes_one_line_gets_it(shell: Shell, store: Store) -> None:
    for _ in range(300):
        add(store)
    process = shell.start("list", "--limit", "1000")
    with subprocess.Popen(["head", "-1"], stdin=process.stdout, stdout=subprocess.PIPE) as head:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        line = head.communicate(timeout=30)[0].decode()
    assert line.split()[:2] == ["id", "state"]
    err = process.stderr.read().decode()
    process.stderr.close()
    process.wait(30)
    assert err == ""


# -- version and help ----------------------------------------------------------------------


def test_version_is_the_packages(nowhere: Shell) -> None:
    ran = nowhere.run("--version")
    assert (ran.code, ran.out, ran.err) == (0, f"{__version__}\n", "")


COMMANDS = (
    *("call", "conference", "show", "list", "stats", "why", "retry", "cancel", "prioritise"),
    *("events", "limit", "actions", "audit"),
    *("pause", "resume", "balance", "doctor", "sandbox", "up", "demo", "worker", "beat", "flower"),
    "gateway",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_that_shows_no_secret(nowhere: Shell, command: str) -> None:
    ran = nowhere(
        command,
        "--help",
        DISPATCHER_REDIS_URL="redis://:Hunter2@127.0.0.1/0",
        XOXZO_API_SID="sid",
        XOXZO_API_AUTH_TOKEN="Hunter2",
    )
    assert (ran.code, ran.err) == (0, "")
    assert re.match(rf"(?i)usage: .+ {command} ", ran.out)
    assert "Hunter2" not in ran.out


def test_help_lists_every_command(nowhere: Shell) -> None:
    ran = nowhere.run("--help")
    assert (ran.code, ran.err) == (0, "")
    listed = re.findall(r"^  ([a-z]+)  ", ran.out.partition("Commands:")[2], re.MULTILINE)
    assert set(COMMANDS) <= set(listed)


def test_without_a_command_the_help_is_shown(nowhere: Shell) -> None:
    ran = nowhere()
    assert ran.code == 2
    assert "Commands:" in ran.out + ran.err
