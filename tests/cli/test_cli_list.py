"""`list`, `stats` and `balance`: many jobs, and what is known of all."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from dispatcher.model.api_key import Scope
from dispatcher.model.request import JobRequest
from dispatcher.store import Store
from support.cli_jobs import (
    FIELDS,
    IN_VAIN,
    MASKED,
    NUMBER,
    OTHER,
    OUT_OF_CREDIT,
    REFUSED,
    TEXT,
    TIME,
    add,
    reach,
    settle,
)
from support.cli_shell import Shell
from support.redis_inside import redis_of


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
