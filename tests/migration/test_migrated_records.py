"""What was brought over is what there was: jobs, money, limits, keys, actions, events, audit."""

from __future__ import annotations

from ast import literal_eval
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from dispatcher.model.filters import Filter
from dispatcher.model.key_rights import EVERYTHING
from dispatcher.store import Store
from support.campaign_books import assert_counted, counted
from support.kept_words import FACTS, as_before, digest, job_as_before
from support.redis_inside import redis_of, root_of
from support.store_books import Books
from support.store_jobs import assert_sound, snapshot

KEYS_OF_NOW = {
    "account", "api_key", "api_keys", "audit_log", "bulk_action", "bulk_actions", "by_call",
    "by_recipient", "by_state", "by_state_page", "by_tag", "by_tag_page", "called",
    "callbacks", "calling", "campaign",
    "campaign_hours", "campaigns", "counters", "gates", "jobs", "login_failures", "outcomes",
    "schema", "session", "states", "webhooks",
}  # fmt: skip
NEW_OF_KEYS = {"rights", "waiting"}


def test_every_job_is_told_as_before(migrated: Store, expected: dict[str, Any]) -> None:
    for before in expected["jobs"]:
        assert job_as_before(migrated.jobs.get(before["id"])) == before
    digests = [digest(job_as_before(job)) for job in migrated.search.find(Filter())]
    assert "".join(digests) == expected["digests"]
    assert len(digests) > 10_000


def test_every_search_finds_the_same(migrated: Store, expected: dict[str, Any]) -> None:
    assert expected["searches"]
    for search in expected["searches"]:
        wanted = {
            name: datetime.fromtimestamp(value, UTC) if name in {"since", "until"} else value
            for name, value in search["wanted"].items()
        }
        found = [id_ for some in migrated.search.find_ids(Filter(**wanted)) for id_ in some]
        assert (len(found), digest(found)) == (search["many"], search["digest"]), search["wanted"]


def test_jobs_are_counted_as_before(migrated: Store, expected: dict[str, Any]) -> None:
    found = {
        state: {reason: many for reason, many in reasons.items() if many}
        for state, reasons in migrated.search.counts().items()
    }
    before = {state: {k: n for k, n in of.items() if n} for state, of in expected["counts"].items()}
    assert found == before
    assert migrated.statistics.counters() == expected["counted"]


def test_the_money_is_the_same_to_the_unit(migrated: Store, expected: dict[str, Any]) -> None:
    account, credit = expected["account"], migrated.budget.credit()
    assert credit.balance == Decimal(account["balance"])
    assert credit.spent == Decimal(account["spent"])
    assert credit.spent_since == Decimal(account["spent_since"])
    assert credit.in_flight == Decimal(account["in_flight"])
    assert credit.waiting == literal_eval(account["waiting"])
    costs = {name: str(mean) for name, mean in migrated.budget.costs().means.items()}
    assert costs == expected["costs"]
    for kind, seconds in expected["usual"].items():
        assert migrated.calls.typical_duration(kind) == seconds


def test_limits_and_holds_stand_as_before(migrated: Store, expected: dict[str, Any]) -> None:
    assert [limit.to_dict() for limit in migrated.spending.limits()] == expected["limits"]
    found = [
        {
            "name": h.name,
            "since": h.since,
            "why": h.why,
            "required": h.required,
            "ajar": h.half_open,
        }
        for h in migrated.holds.all()
    ]
    assert found == expected["gates"]
    assert {hold["name"].partition(":")[0] for hold in found} == {
        "auth", "credit", "limit", "paused", "provider_down",
    }  # fmt: skip


def test_what_people_did_is_told_as_before(migrated: Store, expected: dict[str, Any]) -> None:
    found = [as_before(entry.to_dict()) for entry in migrated.audit.read(mask=False)]
    assert found == expected["audit"]
    actions = [each.to_dict() for each in migrated.bulk.recent()]
    assert {each.pop("priority") for each in actions} == {None}  # 0.1.0 did not tell it
    assert [as_before(each) for each in actions] == expected["acts"]
    keys = [
        {name: str(value) for name, value in asdict(key).items() if name not in NEW_OF_KEYS}
        | {"scopes": ",".join(sorted(key.scopes))}
        for key in migrated.api_keys.all()
    ]
    assert keys == expected["keys"]
    assert {key.rights for key in migrated.api_keys.all()} == {EVERYTHING}  # as 0.1.0 let them


def test_events_of_the_account_have_their_names_of_now(
    migrated: Store, expected: dict[str, Any]
) -> None:
    found = list(migrated.events.after())
    assert [as_before([each.kind, each.facts], FACTS) for each in found] == expected["notices"]
    assert {"hold.started", "hold.half_open", "hold.ended", "credit.low"} <= {e.kind for e in found}


def test_webhooks_wait_as_before(migrated: Store, expected: dict[str, Any]) -> None:
    assert migrated.webhooks.counts() == expected["webhooks"]
    waiting = [*migrated.webhooks.waiting(), *migrated.webhooks.dead()]
    assert all(each.sequence > 0 and each.target for each in waiting)
    assert not any("gate" in each.facts or each.type.startswith("gate") for each in waiting)
    told = next(each for each in waiting if each.type == "job.failed")
    assert told.job is not None
    assert told.job.state == "failed"


def test_nothing_stands_under_an_old_name(migrated: Store) -> None:
    prefix = f"{root_of(migrated)}:"
    names = (raw.decode() for raw in redis_of(migrated).scan_iter(match=f"{prefix}*", count=1000))
    assert {name.removeprefix(prefix).partition(":")[0] for name in names} <= KEYS_OF_NOW


def test_every_structure_and_the_books_agree(migrated: Store) -> None:
    found = snapshot(migrated)
    assert_sound(found)
    Books().look(found)


def test_campaigns_whose_names_begin_alike_have_lines_of_their_own(migrated: Store) -> None:
    lines = snapshot(migrated)["lines:bulk"]
    alike = [line for line in lines if line.startswith("campaign:spring-sale")]
    assert len(alike) == 2
    assert lines[alike[0]] == lines[alike[1]]


@pytest.mark.parametrize("state", ["dialing", "uncertain", "in_progress"])
def test_calls_under_way_are_found_by_their_ids(migrated: Store, state: str) -> None:
    jobs = list(migrated.search.find(Filter(states=[state])))  # type: ignore[list-item]
    assert jobs
    for job in jobs:
        assert job.next_at is not None
        for attempt in job.attempts:
            for callid in attempt.callids:
                assert migrated.jobs.id_of_call(callid) == job.id


def test_what_became_of_campaigns_is_counted(migrated: Store) -> None:
    found = snapshot(migrated)
    assert_counted(found)
    counts = counted(found).values()
    assert sum(one["completed"] for one in counts) > 100
    assert sum(one["spent"] for one in counts) > 0
