"""`export`: what programs and spreadsheets get, and what they cannot be made to do."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dispatcher.model.call import CallRef, CallReport, Leg
from dispatcher.model.outcome import Outcome
from dispatcher.model.request import JobRequest
from dispatcher.model.states import Reason, State
from dispatcher.policy import Decision
from dispatcher.rows.exporting import COLUMNS, USAGE_LOG
from dispatcher.store import Store
from dispatcher.store.schema import SCHEMA
from support.claims import claim_one
from support.cli_shell import Shell
from support.redis_inside import key_of, redis_of

NUMBER, MASKED, OTHER = "+818011234567", "+8180****4567", "+818011234568"


def add(store: Store, **fields: Any) -> str:
    return store.jobs.enqueue(JobRequest.of({"recipient": NUMBER, "say": "x", **fields})).id


def dialled(store: Store, id_: str, callid: str) -> int:
    claim = claim_one(store, id_, token=callid, lease=60, provider="xoxzo")
    assert not isinstance(claim, State | None)
    placed = Decision(
        State.IN_PROGRESS, "placed", "", delay=60, call=CallRef(tuple(callid.split(",")))
    )
    store.calls.settle(id_, claim.attempt, placed)
    return int(claim.attempt)


@pytest.fixture
def redialled(store: Store) -> str:
    """A job that rang in vain and was answered by the second call."""
    id_ = add(store, tags=["a", "b"], caller=OTHER, key=f"k {NUMBER}")
    first = dialled(store, id_, "call-1")
    rang = CallReport(Outcome.NO_ANSWER, "NO ANSWER", cost=Decimal(5))
    vain = Decision(State.SCHEDULED, "no_answer", "NO ANSWER", delay=0, report=rang)
    store.calls.settle(id_, first, vain)
    store.queue.pump()
    second = dialled(store, id_, "call-2")
    answered = CallReport(Outcome.ANSWERED, "ANSWERED", cost=Decimal("12.5"), duration=23)
    store.calls.settle(
        id_, second, Decision(State.COMPLETED, "answered", "ANSWERED", report=answered)
    )
    return id_


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.removeprefix("\ufeff").splitlines()))


def test_each_call_is_a_row_with_the_columns_of_the_usage_log(
    shell: Shell, store: Store, redialled: str
) -> None:
    waiting = add(store, recipient=OTHER)
    ran = shell("export")
    assert ran.code == 0
    assert ran.out.splitlines()[0] == "\ufeff" + ",".join(COLUMNS)
    assert COLUMNS[: len(USAGE_LOG)] == USAGE_LOG
    newest, first, second = table(ran.out)
    assert (newest["id"], newest["state"], newest["callid"]) == (waiting, "queued", "")
    assert [row["provider"] for row in (newest, first, second)] == ["", "xoxzo", "xoxzo"]
    assert [first["callid"], second["callid"]] == ["call-1", "call-2"]
    assert [first["status"], second["status"]] == ["NO ANSWER", "ANSWERED"]
    assert [first["cost"], second["cost"]] == ["5.0", "12.5"]
    assert [first["duration"], second["duration"]] == ["", "23.0"]
    assert (
        second.items()
        >= {
            "call_type": "simple/playbacks",
            "direction": "outbound",
            "tags": "a,b",
            "caller": "'+8180****4568",
            "attempt": "2",
            "attempts": "2",
            "state": "completed",
            "id": redialled,
            "recipient": f"'{MASKED}",
            "say": "",
            "key": f"k {MASKED}",
        }.items()
    )


def test_a_conference_has_a_row_for_each_participant(shell: Shell, store: Store) -> None:
    request = JobRequest.of({"participants": (NUMBER, OTHER)})
    id_ = store.jobs.enqueue(request).id
    attempt = dialled(store, id_, "call-1,call-2")
    legs = (Leg("call-1", NUMBER, "ANSWERED", None, 20), Leg("call-2", OTHER, "NO ANSWER"))
    report = CallReport(Outcome.NO_ANSWER, "NO ANSWER", legs=legs)
    end = Decision(State.FAILED, "no_answer", "NO ANSWER", Reason.NO_ANSWER, report=report)
    store.calls.settle(id_, attempt, end)
    rows = table(shell("export", "--unmask", "--raw").out)
    assert [(row["callid"], row["recipient"], row["status"]) for row in rows] == [
        ("call-1", NUMBER, "ANSWERED"),
        ("call-2", OTHER, "NO ANSWER"),
    ]
    assert {row["participants"] for row in rows} == {f"{NUMBER},{OTHER}"}


def test_no_cell_is_a_formula_and_a_number_keeps_its_plus(shell: Shell, store: Store) -> None:
    hostile = "=HYPERLINK(1)"
    add(store, say=hostile, tags=["@tag"], key="-1+1")
    (row,) = table(shell("export", "--unmask").out)
    assert (row["say"], row["tags"], row["key"]) == (f"'{hostile}", "'@tag", "'-1+1")
    assert row["recipient"] == f"'{NUMBER}"
    (raw,) = table(shell("export", "--unmask", "--raw").out)
    assert (raw["say"], raw["recipient"]) == (hostile, NUMBER)
    assert not shell("export", "--raw").out.startswith("\ufeff")


def test_json_lines_are_as_show_prints_them(shell: Shell, redialled: str) -> None:
    (line,) = shell("export", "--format", "jsonl", "--unmask").out.splitlines()
    assert json.loads(line) == shell("show", redialled, "--json").json
    (masked,) = shell("export", "--format", "jsonl").out.splitlines()
    assert NUMBER not in masked
    assert "say" not in json.loads(masked)


def test_numbers_in_tags_are_masked(shell: Shell, store: Store) -> None:
    add(store, tags=["db1", f"customer:{NUMBER}"])
    for format_ in ("csv", "jsonl"):
        masked = shell("export", "--format", format_).out
        assert NUMBER not in masked
        assert f"customer:{MASKED}" in masked
        assert f"customer:{NUMBER}" in shell("export", "--format", format_, "--unmask").out


def test_filters_choose_and_the_newest_comes_first(shell: Shell, store: Store) -> None:
    ids = [add(store, tags=["a"], recipient=f"+8180112345{n}") for n in range(60, 70)]
    add(store, tags=["b"])
    rows = table(shell("export", "--tag", "a").out)
    assert {row["id"] for row in rows} == {*ids}
    assert [row["created_at"] for row in rows] == sorted(
        (row["created_at"] for row in rows), reverse=True
    )
    assert table(shell("export", "--state", "failed").out) == []


def test_a_file_is_for_its_owner_only(shell: Shell, store: Store) -> None:
    add(store)
    ran = shell("export", "--output", "jobs.csv")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "1 job written to jobs.csv\n"
    path = shell.folder / "jobs.csv"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(table(path.read_text("utf-8"))) == 1


def test_what_was_exported_can_be_imported_and_is_the_same(shell: Shell, store: Store) -> None:
    add(store, tags=["a", "b"], key="k1", say='Say "it", now\nor later', priority="bulk")
    add(store, say=None, play="http://media.example.com/a.mp3", recipient=OTHER, key="k2")
    assert shell("export", "--unmask", "--output", "jobs.csv").code == 0
    again = shell("import", "jobs.csv", "--json")
    assert (again.code, again.json["existing"], again.json["refused"]) == (0, 2, 0)
    redis_of(store).flushall()
    anew = shell("import", "jobs.csv", "--json")
    assert (anew.code, anew.json["created"]) == (0, 2)


def test_a_reader_that_has_enough_is_no_trouble(shell: Shell, store: Store) -> None:
    requests = [
        JobRequest.of({"recipient": NUMBER, "say": f"{n} " + "x" * 500}) for n in range(500)
    ]
    store.jobs.enqueue_many(requests)
    process = shell.start("export", "--format", "jsonl")
    assert process.stdout
    assert process.stdout.readline().startswith(b'{"id": ')
    process.stdout.close()
    assert process.stderr
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 1


def test_a_disk_that_is_full_is_told(shell: Shell, store: Store) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    add(store)
    ran = shell.run("export", "--output", "/dev/full")
    assert ran.code == 1
    assert "No space left" in ran.complaint


def test_on_another_schema_nothing_is_written_and_an_earlier_file_is_kept(
    shell: Shell, store: Store, tmp_path: Path
) -> None:
    add(store)
    file = tmp_path / "jobs.csv"
    file.write_text("as it was")
    redis_of(store).set(key_of(store, "schema"), SCHEMA + 1)
    assert f"schema {SCHEMA + 1}" in shell("export", "--output", str(file)).err
    assert file.read_text() == "as it was"
    assert shell("export").out == ""
