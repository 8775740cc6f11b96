"""The audit log: one entry for each action of a person, where something was done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.filters import Filter
from dispatcher.model.states import Priority, State
from dispatcher.policy import Decision
from dispatcher.store import Store, audit
from dispatcher.store.audit import ANYTHING, PAGE, AuditEntry, AuditFilter
from dispatcher.store.holds import PauseScope
from dispatcher.store.spending import Period, SpendingLimit
from dispatcher.store.values import Refused, UnknownJob
from support.clock import Clock
from support.store_jobs import START, claim, enqueue, failed, snapshot

BEGIN = datetime.fromtimestamp(START / 1000, UTC)


def only(store: Store) -> AuditEntry:
    (entry,) = store.audit.read()
    return entry


def uncertain(store: Store) -> str:
    id_ = enqueue(store)
    lost = Decision(State.UNCERTAIN, "maybe_placed", "the answer was lost", delay=300)
    store.calls.settle(id_, claim(store, id_).attempt, lost)
    return id_


SINGLE: dict[str, tuple[Callable[[Store], str], Callable[[Store, str], None], dict[str, str]]] = {
    "retry": (
        failed,
        lambda store, id_: store.jobs.retry(id_, actor="cli:kim", note="again"),
        {"before": "failed:invalid_request"},
    ),
    "cancel": (
        enqueue,
        lambda store, id_: store.jobs.cancel(id_, actor="cli:kim", note="again"),
        {"before": "queued"},
    ),
    "reached": (
        uncertain,
        lambda store, id_: store.jobs.mark_reached(id_, actor="cli:kim", note="again"),
        {"before": "uncertain"},
    ),
    "prioritise": (
        enqueue,
        lambda store, id_: store.jobs.prioritise(id_, Priority.BULK, actor="cli:kim", note="again"),
        {"before": "queued", "priority": "bulk"},
    ),
}


@pytest.mark.parametrize("action", SINGLE)
def test_an_action_on_one_job_is_written_down_where_it_did_something(
    store: Store, action: str
) -> None:
    make, do, facts = SINGLE[action]
    id_ = make(store)
    do(store, id_)
    assert only(store) == AuditEntry(BEGIN, "cli:kim", action, f"job:{id_}", "again", facts)


@pytest.mark.parametrize("action", SINGLE)
def test_an_action_that_was_refused_is_not(store: Store, action: str) -> None:
    _, do, _ = SINGLE[action]
    id_ = enqueue(store)
    claim(store, id_)
    with pytest.raises(Refused):
        do(store, id_)
    with pytest.raises(UnknownJob):
        do(store, "nosuchjob")
    assert list(store.audit.read()) == []


def test_a_pause_and_its_end_are_written_down_once_each(store: Store) -> None:
    for _ in range(2):
        store.holds.pause(PauseScope(tag="db1"), actor="cli:kim", note="night")
    for _ in range(2):
        store.holds.resume(PauseScope(tag="db1"), actor="cli:sam", note="morning")
    assert list(store.audit.read()) == [
        AuditEntry(BEGIN, "cli:kim", "pause", "paused:tag:db1", "night"),
        AuditEntry(BEGIN, "cli:sam", "resume", "paused:tag:db1", "morning"),
    ]


def test_gates_that_nobody_closed_or_opened_by_hand_are_no_actions(store: Store) -> None:
    store.holds.start("credit", "the provider said so")
    store.holds.end("credit")
    assert list(store.audit.read()) == []


def test_limits_are_written_down_with_what_they_were(store: Store) -> None:
    store.spending.set(
        SpendingLimit("tag:a", Decimal(500), Period.DAY), actor="cli:kim", note="spring"
    )
    store.spending.set(SpendingLimit("tag:a", Decimal("0.5"), Period.TOTAL), actor="cli:kim")
    store.spending.clear("tag:a", actor="cli:kim")
    store.spending.clear("tag:a", actor="cli:kim")
    assert [(each.action, each.target, each.note, each.facts) for each in store.audit.read()] == [
        ("limit.set", "tag:a", "spring", {"limit": "500/day"}),
        ("limit.set", "tag:a", "", {"before": "500/day", "limit": "0.5/total"}),
        ("limit.clear", "tag:a", "", {"before": "0.5/total"}),
    ]


def test_an_action_on_many_is_written_down_when_it_begins_and_with_what_came_of_it(
    store: Store,
) -> None:
    made = [failed(store) for _ in range(3)]
    seen = store.bulk.preview(BulkActionKind.RETRY, Filter(states=(State.FAILED,)))
    store.bulk.create(seen)
    store.bulk.begin(seen.id, actor="console:ops", note="the line is mended")
    store.jobs.retry(made[0], actor="cli:sam")
    store.bulk.drive(seen.id)
    first, alone, last = store.audit.read()
    assert (first.action, first.target, first.actor) == ("retry", "state=failed", "console:ops")
    assert first.facts == {"action": seen.id, "matched": 3, "selected": 3, "credits": 60}
    assert alone.target == f"job:{made[0]}"
    assert (last.action, last.note) == ("retry.done", "the line is mended")
    assert last.facts == {
        "action": seen.id,
        "selected": 3,
        "done": 2,
        "not_ended": 1,
        "remaining": 0,
    }


def test_entries_are_read_by_time_over_many_pages_in_their_order(
    store: Store, clock: Clock
) -> None:
    for place in range(PAGE + 50):
        store.audit.record("cli:kim", "balance.check", "account", place=place)
        if place % 100 == 99:
            clock.forward(1)
    found = list(store.audit.read())
    assert [each.facts["place"] for each in found] == list(range(PAGE + 50))
    second = timedelta(seconds=1)
    some = store.audit.read(BEGIN + second, BEGIN + 2 * second)
    assert [each.facts["place"] for each in some] == list(range(100, 200))
    assert list(store.audit.read(until=BEGIN)) == []


def pages(store: Store, wanted: AuditFilter = ANYTHING, most: int = 3) -> list[str]:
    """Return the targets of what people did, page by page, the latest first."""
    found, cursor = list[str](), ""
    while True:
        entries, after = store.audit.latest(most, cursor, wanted)
        assert len(entries) <= most
        found += [each.target for each in entries]
        if after is None:
            return found
        cursor = after


def test_entries_are_filtered_by_who_what_and_when(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "PAGE", 4)
    monkeypatch.setattr(audit, "LOOKED_AT", 8)
    for n in range(20):
        who = "console:Ann" if n % 5 == 0 else "cli:kim"
        store.audit.record(who, "retry" if n % 2 else "pause", f"thing {n}")
        clock.forward(1)
    assert pages(store) == [f"thing {n}" for n in range(19, -1, -1)]
    assert pages(store, AuditFilter(who="ann")) == [f"thing {n}" for n in (15, 10, 5, 0)]
    assert pages(store, AuditFilter(what="RETRY thing 1")) == [
        f"thing {n}" for n in (19, 17, 15, 13, 11, 1)
    ]
    second = timedelta(seconds=1)
    some = AuditFilter(since=BEGIN + 3 * second, until=BEGIN + 6 * second)
    assert pages(store, some) == ["thing 5", "thing 4", "thing 3"]
    assert pages(store, AuditFilter(who="nobody")) == []


def test_what_is_masked_in_entries_is_not_found(store: Store) -> None:
    store.audit.record("cli:kim", "dnc.add", "recipient:+818011234567")
    assert pages(store, AuditFilter(what="dnc"))
    assert not pages(store, AuditFilter(what="80112345"))


def test_a_clock_that_steps_back_loses_no_entry(store: Store, clock: Clock) -> None:
    store.audit.record("cli:kim", "balance.check", "account")
    clock.forward(-60)
    store.audit.record("cli:sam", "balance.check", "account")
    assert [each.actor for each in store.audit.read()] == ["cli:kim", "cli:sam"]


def test_numbers_are_masked_unless_told_otherwise(store: Store) -> None:
    note = "asked for by +818011234567"
    store.audit.record(
        "cli:kim", "look", "job:+818011234567", note, who="+818011234567", n=12345678
    )
    masked, (whole,) = only(store), store.audit.read(mask=False)
    assert "1123" not in f"{masked.note}{masked.target}{masked.facts['who']}"
    assert masked.facts["n"] == 12345678
    assert (whole.note, whole.facts["who"]) == (note, "+818011234567")


def test_an_actor_is_one_word(store: Store) -> None:
    store.audit.record("cli:kim lee", "look", "account")
    assert only(store).actor == "cli:kim_lee"


def test_entries_are_forgotten_by_age(store: Store, clock: Clock) -> None:
    store.audit.record("cli:kim", "look", "one")
    clock.forward(10)
    store.audit.record("cli:kim", "look", "two")
    assert store.audit.trim(START + 5000) == 1
    assert only(store).target == "two"
    assert "audit_log" in snapshot(store)
