"""`balance`, `limit` and `events` as people run them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.policy import after_report
from dispatcher.store import Store
from support.cli_shell import Shell
from support.reports import ended
from support.store_jobs import POLICY, in_progress


def see(store: Store, balance: int) -> None:
    look = store.budget.take_check(lease=60, now=True)
    assert look is not None
    store.budget.note_balance(Decimal(balance), look, 300)


def test_balance_tells_what_is_known_without_asking_the_provider(
    shell: Shell, store: Store
) -> None:
    store.limiter.publish(AccountConfig(floor=50))
    see(store, 42)
    store.holds.start("credit", "credit 42, needs 50", 50)
    ran = shell("balance")
    lines = ran.out.splitlines()
    assert (ran.code, ran.err) == (0, "")
    assert lines[0].startswith("42 credits, checked ")
    assert lines[1] == "Nothing was spent in the last hour"
    assert lines[2].startswith("Calls are held: credit 42, needs 50 (since ")
    found = shell("balance", "--json").json
    assert (found["balance"], found["floor"], found["available"]) == (42, 50, 42)
    assert [gate["name"] for gate in found["holds"]] == ["credit"]


def test_balance_looks_when_told_to_and_opens_what_may_open(
    shell: Shell, store: Store, provider: dict[str, str]
) -> None:
    store.limiter.publish(AccountConfig(floor=50))
    see(store, 42)
    store.holds.start("credit", "credit 42, needs 50", 50)
    assert shell("balance", "--check", "--json", **provider).json["balance"] == 500
    assert store.budget.credit().balance == 500
    assert store.holds.all() == []


def test_a_look_that_fails_says_why_and_keeps_what_was_known(
    shell: Shell, store: Store, provider: dict[str, str]
) -> None:
    see(store, 42)
    ran = shell("balance", "--check", **{**provider, "XOXZO_API_AUTH_TOKEN": "wrong"})
    assert ran.code == 1
    assert "does not know these credentials" in ran.complaint
    assert store.budget.credit().balance == 42


def test_what_calls_cost_is_shown_and_forgotten(shell: Shell, store: Store) -> None:
    assert shell("balance", "--learned").out == "nothing was learned yet\n"
    for cost in ("7", "9"):
        id_ = in_progress(store, f"call-{cost}")
        decision = after_report(ended("ANSWERED", Decimal(cost)), store.jobs.get(id_), POLICY)
        assert decision is not None
        store.calls.settle(id_, 1, decision, actor="reconcile")
    assert shell("balance", "--learned").out == (
        "tts:JP-mobile: 8 credits on the average, 2 of 2 calls cost anything; checked: 7 to 9\n"
    )
    assert shell("balance", "--learned", "--json").json[0]["highest"] == 9
    see(store, 500)
    assert shell("balance", "--json").json["learned"][0]["tariff"] == "tts:JP-mobile"
    assert shell("balance", "--relearn", "US").out == "nothing was learned of 'US'\n"
    assert shell("balance", "--relearn", "JP", "--note", "new prices").out == (
        "forgotten: tts:JP-mobile\n"
    )
    assert store.budget.learned() == []


def test_limits_are_set_listed_changed_and_cleared(shell: Shell) -> None:
    assert shell("limit", "list").out == "no limits\n"
    done = shell("limit", "set", "tag:campaign:x", "500/day")
    assert done.out == "limit set: tag:campaign:x, 500 credits a day; 0 used\n"
    shell("limit", "set", "client:api:shop", "10000/total")
    done = shell("limit", "set", "tag:campaign:x", "600/day")
    assert done.out == "limit changed: tag:campaign:x, 600 credits a day; 0 used\n"
    rows = [
        {"scope": "client:api:shop", "credits": 10000, "per": "total", "used": 0},
        {"scope": "tag:campaign:x", "credits": 600, "per": "day", "used": 0},
    ]
    assert shell("limit", "list", "--json").json == rows
    assert len(shell("limit", "list").out.splitlines()) == 2
    assert shell("limit", "clear", "tag:campaign:x").out == "tag:campaign:x: cleared\n"
    again = shell("limit", "clear", "tag:campaign:x", "--json").json
    assert again == {"scope": "tag:campaign:x", "cleared": False}


@pytest.mark.parametrize(
    ("scope", "amount", "word"),
    [
        ("campaign:x", "500/day", "'campaign:x' is not a scope"),
        ("tag:x", "five", "'five' is not a limit"),
        ("tag:x", "0/day", "'0/day' is not a limit"),
        ("tag:a,b", "5/day", "comma"),
    ],
)
def test_a_limit_that_is_none_is_wrong_usage(
    shell: Shell, scope: str, amount: str, word: str
) -> None:
    ran = shell("limit", "set", scope, amount)
    assert ran.code == 2
    assert word in ran.complaint


def test_events_are_listed_and_read_on_from_a_cursor(shell: Shell, store: Store) -> None:
    store.holds.start("auth", "401", refused=True)
    store.holds.end("auth", "mended")
    header, *lines = shell("events").out.splitlines()
    assert header.split() == ["at", "event", "facts"]
    assert [line.split()[3] for line in lines] == ["hold.started", "hold.ended"]
    assert "hold=auth  why=401" in lines[0]
    first, second = shell("events", "--json").json
    assert shell("events", "--json", "--after", first["cursor"]).json == [second]
    assert shell("events", "--after", "yesterday").code == 2
