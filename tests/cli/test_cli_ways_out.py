"""What the command line prints for others to see: no telephone number in any writing."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from dispatcher.cli.commands import COMMANDS
from dispatcher.model.account_config import AccountConfig
from dispatcher.model.alert import Acknowledgement
from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.filters import Filter
from dispatcher.store import Store
from dispatcher.store.holds import PauseScope
from dispatcher.store.spending import SpendingLimit, limit_amount
from support.cli_shell import Shell
from support.hidden_numbers import NUMBER, WRITINGS, tells
from support.seen_alerts import event, reported
from support.store_jobs import enqueue

MASKED: dict[str, tuple[tuple[str, ...], ...]] = {
    "list": (("list",), ("list", "--json")),
    "export": (("export",), ("export", "--format", "jsonl")),
    "stats": (("stats",), ("stats", "--json")),
    "balance": (("balance",), ("balance", "--json")),
    "events": (("events",), ("events", "--json")),
    "audit": (("audit",), ("audit", "--json"), ("audit", "--format", "csv")),
    "actions": (("actions", "list"), ("actions", "list", "--json")),
    "purge": (("purge", "--recipient", NUMBER, "--dry-run"),),
    "webhooks": (("webhooks", "list"), ("webhooks", "list", "--json")),
    "campaign": (("campaign", "list"), ("campaign", "list", "--json")),
    "alerts": (
        *(("alerts", "list"), ("alerts", "list", "--json")),
        *(("alerts", "summary"), ("alerts", "summary", "--json")),
    ),
    "dnc": (("dnc", "list"), ("dnc", "list", "--json")),
}
"""Lists, which end up in logs, tickets and screenshots."""
OWN_TERMINAL = {
    *("call", "conference", "show", "why", "retry", "reached", "cancel", "prioritise", "pause"),
    *("resume", "limit", "keys", "restored", "dial-in", "run", "alert"),
}
"""Commands that speak of what their caller named."""
ELSEWHERE = {"import", "watch", "chains", "rota"}
"""Judged below, in test_cli_watch_board.py and in test_cli_chains.py."""
NO_NUMBERS = {"doctor", "migrate", "url", "sandbox", "languages", "alert"}
PROCESSES = {"up", "demo", "worker", "beat", "gateway", "flower", "health"}
"""They log, and config/logs.py masks each line; or tell of these processes alone."""


def test_every_command_is_judged() -> None:
    judged = {*MASKED, *ELSEWHERE} | OWN_TERMINAL | NO_NUMBERS | PROCESSES
    assert judged == COMMANDS.keys()


@pytest.fixture
def written(store: Store) -> Store:
    """A store in which people wrote the number wherever they may."""
    store.limiter.publish(AccountConfig(webhooks=1))
    look = store.budget.take_check(lease=60, now=True)
    assert look
    store.budget.note_balance(Decimal(500), look, 300)
    store.spending.set(SpendingLimit(f"tag:to {WRITINGS[1]}", *limit_amount("5/day")))
    for each in WRITINGS:
        if not each.isprintable():
            continue
        tags = [f"to {each}", f"campaign:{each}"]
        id_ = enqueue(store, recipient=NUMBER, tags=tags, key=f"k {each}")
        store.jobs.cancel(id_, actor="cli:sam", note=f"for {each}")
        store.holds.pause(PauseScope(f"to {each}"), actor=f"cli:{each}", note=f"asked by {each}")
    for each in WRITINGS:
        fields = {"summary": f"of {each}", "labels": {"to": each}, "annotations": {"a": each}}
        (id_,) = reported(store, event(each, **fields), chain=f"to {each}")
        store.alerts.acknowledge(id_, by=f"who {each}", how=Acknowledgement.CLI, note=each)
    preview = store.bulk.preview(BulkActionKind.RETRY, Filter(tag=f"to {WRITINGS[1]}"))
    action = store.bulk.create(preview)
    store.bulk.begin(action, actor="cli:sam", note=f"since {WRITINGS[2]} asked")
    return store


@pytest.mark.parametrize("command", sorted(MASKED))
def test_a_list_tells_no_number(shell: Shell, written: Store, command: str) -> None:
    for arguments in MASKED[command]:
        ran = shell(*arguments)
        assert ran.code == 0, ran.err
        assert "****" in ran.out or command in {"webhooks", "dnc"}, arguments
        assert not tells(ran.out + ran.err), arguments


def test_an_import_reports_no_number_whole(shell: Shell, store: Store) -> None:
    """What it reports is read by more people than its file."""
    refused = [each for each in WRITINGS if each != NUMBER]
    rows = [json.dumps({"recipient": each, "say": "x", "key": each}) for each in refused]
    file = shell.folder / "calls.jsonl"
    file.write_text("\n".join([*rows, '{"recipient": "0987654321", "x 080-9876-5432": 1}', ""]))
    for more in ((), ("--json",), ("--dry-run",)):
        ran = shell("import", str(file), "--yes", *more)
        assert "is not E.164" in ran.err or "country code" in ran.err
        assert not tells(ran.out)
        assert not tells(ran.err)


@pytest.mark.parametrize("command", ["events", "audit"])
def test_who_wants_to_sees_whole_numbers(shell: Shell, written: Store, command: str) -> None:
    assert tells(shell(command, "--unmask").out)


@pytest.mark.parametrize("command", [("alerts", "show"), ("alerts", "ack"), ("why",), ("show",)])
def test_an_alert_tells_no_number_that_monitoring_wrote(
    shell: Shell, written: Store, command: tuple[str, ...]
) -> None:
    alerts = written.alerts.page().alerts
    assert len(alerts) >= len(WRITINGS)
    for alert in alerts:
        for more in ((), () if command == ("why",) else ("--json",)):
            ran = shell(*command, alert.id, *more)
            assert not tells(ran.out + ran.err), (alert.summary, more)
