"""`campaign list`, `campaign show`, `stats --tag`, and fields of one's own."""

from __future__ import annotations

import csv
import json
from decimal import Decimal

from dispatcher.policy import after_report
from dispatcher.store import Store
from support.cli_shell import Shell
from support.reports import ended
from support.store_jobs import POLICY, enqueue, failed, in_progress

NUMBER = "+818011234567"


def spring(store: Store) -> None:
    id_ = in_progress(store, tags=["campaign:spring"])
    decision = after_report(ended("ANSWERED", Decimal("7.5"), 12), store.jobs.get(id_), POLICY)
    assert decision is not None
    store.calls.settle(id_, 1, decision)
    failed(store, tags=["campaign:spring"])
    enqueue(store, tags=["campaign:spring"])


def test_a_campaign_is_shown_to_people_and_to_programs(shell: Shell, store: Store) -> None:
    spring(store)
    for name in ("spring", "campaign:spring"):
        shown = shell("campaign", "show", name).out
        assert "Campaign spring: 3 jobs" in shown
        assert "2 attempts, 12 s talked, 7.5 credits" in shown
        assert "1 invalid_request" in shown
        assert "33.3%" in shown
    found = shell("campaign", "show", "spring", "--json").json
    assert (found["jobs"], found["answered"], found["waiting"], found["credits"]) == (3, 1, 1, 7.5)
    assert found["by_attempt"] == [{"attempt": 1, "dialled": 2, "answered": 1}]


def test_stats_tells_of_a_campaign_too(shell: Shell, store: Store) -> None:
    spring(store)
    found = shell("stats", "--tag", "campaign:spring", "--json").json
    assert found["campaign"]["jobs"] == 3
    assert found["jobs"]["queued"] == 1
    shown = shell("stats", "--tag", "campaign:spring").out
    assert "Campaign spring: 3 jobs" in shown
    assert "No rate limit" in shown
    ran = shell("stats", "--tag", "vip")
    assert ran.code == 2
    assert "'vip' is not the tag of a campaign" in ran.complaint


def test_campaigns_are_listed_with_numbers_masked(shell: Shell, store: Store) -> None:
    assert shell("campaign", "list").out == "no campaigns\n"
    spring(store)
    enqueue(store, tags=[f"campaign:for {NUMBER}"])
    lines = shell("campaign", "list").out.splitlines()
    assert len(lines) == 3
    assert "for +8180****4567" in lines[1] + lines[2]
    assert len(shell("campaign", "list", "--limit", "1", "--json").json) == 1


def test_campaigns_are_found_by_a_part_of_their_name(shell: Shell, store: Store) -> None:
    for name in ("spring visits", "Spring sale", "winter"):
        enqueue(store, tags=[f"campaign:{name}"])
    found = shell("campaign", "list", "--name", "SPRING", "--json").json
    assert {each["name"] for each in found} == {"Spring sale", "spring visits"}
    assert shell("campaign", "list", "--name", "autumn").out == "no campaigns\n"


def test_an_unknown_campaign_is_said_to_be_so(shell: Shell, store: Store) -> None:
    ran = shell("campaign", "show", "winter")
    assert ran.code != 0
    assert ran.complaint.startswith("there is no campaign 'winter': check the name")


def test_own_fields_go_in_and_come_back(shell: Shell, store: Store) -> None:
    call = ("call", NUMBER, "--say", "x", "--json")
    made = shell(*call, "--meta", "patient_id=4711", "--meta", "ward=3 b").json
    assert made["meta"] == {"patient_id": "4711", "ward": "3 b"}
    assert "4711" in shell("show", made["id"]).out
    (line,) = shell("export", "--unmask", "--format", "jsonl").out.splitlines()
    assert json.loads(line)["meta"] == made["meta"]
    (row,) = csv.DictReader(shell("export", "--unmask", "--format", "csv").out.splitlines())
    assert json.loads(row["meta"]) == made["meta"]
    assert "--meta" in shell(*call, "--meta", "4711").err


def test_rows_keep_their_own_fields(shell: Shell, store: Store) -> None:
    (shell.folder / "rows.csv").write_text(
        f"phone,text,meta.patient_id,meta.ward\n{NUMBER},x,0047,\n+818011234568,y,{'9' * 3000},b\n"
    )
    ran = shell("import", "rows.csv", "--yes", "--set", "meta.list=may", "--json")
    assert (ran.json["created"], ran.json["refused"]) == (1, 1)
    (job,) = shell("export", "--unmask", "--format", "jsonl").out.splitlines()
    assert json.loads(job)["meta"] == {"list": "may", "patient_id": "0047"}
    refused = next(shell.folder.glob("*refused*")).read_text()
    assert "2048 at most" in refused
