"""The audit log: one entry for each act of a person, where something was done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from dispatcher.model.states import Priority, State
from dispatcher.policy import Decision
from dispatcher.store import Refused, Store, UnknownJob, audit
from dispatcher.store import bulk as acts
from dispatcher.store.audit import Entry
from dispatcher.store.bulk import Act
from dispatcher.store.pauses import Scope, pause, resume
from dispatcher.store.search import Filter
from dispatcher.store.spending_limits import Limit, Period, clear_limit, set_limit
from support.clock import Clock
from support.store_jobs import START, claim, enqueue, failed, snapshot

BEGIN = datetime.fromtimestamp(START / 1000, UTC)


def only(store: Store) -> Entry:
    (entry,) = audit.read(store)
    return entry


def uncertain(store: Store) -> str:
    id_ = enqueue(store)
    lost = Decision(State.UNCERTAIN, "maybe_placed", "the answer was lost", delay=300)
    store.settle(id_, claim(store, id_).attempt, lost)
    return id_


SINGLE: dict[str, tuple[Callable[[Store], str], Callable[[Store, str], None], dict[str, str]]] = {
    "retry": (
        failed,
        lambda store, id_: store.retry(id_, actor="cli:kim", why="again"),
        {"before": "failed:invalid_request"},
    ),
    "cancel": (
        enqueue,
        lambda store, id_: store.cancel(id_, actor="cli:kim", why="again"),
        {"before": "queued"},
    ),
    "reached": (
        uncertain,
        lambda store, id_: store.mark_reached(id_, actor="cli:kim", why="again"),
        {"before": "uncertain"},
    ),
    "prioritise": (
        enqueue,
        lambda store, id_: store.prioritise(id_, Priority.BULK, actor="cli:kim", why="again"),
        {"before": "queued", "priority": "bulk"},
    ),
}


@pytest.mark.parametrize("act", SINGLE)
def test_an_act_on_one_job_is_written_down_where_it_did_something(store: Store, act: str) -> None:
    make, do, facts = SINGLE[act]
    id_ = make(store)
    do(store, id_)
    assert only(store) == Entry(BEGIN, "cli:kim", act, f"job:{id_}", "again", facts)


@pytest.mark.parametrize("act", SINGLE)
def test_an_act_that_was_refused_is_not(store: Store, act: str) -> None:
    _, do, _ = SINGLE[act]
    id_ = enqueue(store)
    claim(store, id_)
    with pytest.raises(Refused):
        do(store, id_)
    with pytest.raises(UnknownJob):
        do(store, "nosuchjob")
    assert list(audit.read(store)) == []


def test_a_pause_and_its_end_are_written_down_once_each(store: Store) -> None:
    for _ in range(2):
        pause(store, Scope(tag="db1"), actor="cli:kim", note="night")
    for _ in range(2):
        resume(store, Scope(tag="db1"), actor="cli:sam", note="morning")
    assert list(audit.read(store)) == [
        Entry(BEGIN, "cli:kim", "pause", "paused:tag:db1", "night"),
        Entry(BEGIN, "cli:sam", "resume", "paused:tag:db1", "morning"),
    ]


def test_gates_that_nobody_closed_or_opened_by_hand_are_no_acts(store: Store) -> None:
    store.close_gate("credit", "the provider said so")
    store.open_gate("credit")
    assert list(audit.read(store)) == []


def test_limits_are_written_down_with_what_they_were(store: Store) -> None:
    set_limit(store, Limit("tag:a", Decimal(500), Period.DAY), actor="cli:kim", note="spring")
    set_limit(store, Limit("tag:a", Decimal("0.5"), Period.TOTAL), actor="cli:kim")
    clear_limit(store, "tag:a", actor="cli:kim")
    clear_limit(store, "tag:a", actor="cli:kim")
    assert [(each.act, each.target, each.why, each.facts) for each in audit.read(store)] == [
        ("limit.set", "tag:a", "spring", {"limit": "500/day"}),
        ("limit.set", "tag:a", "", {"before": "500/day", "limit": "0.5/total"}),
        ("limit.clear", "tag:a", "", {"before": "0.5/total"}),
    ]


def test_an_act_on_many_is_written_down_when_it_begins_and_with_what_came_of_it(
    store: Store,
) -> None:
    made = [failed(store) for _ in range(3)]
    seen = acts.preview(store, Act.RETRY, Filter(states=(State.FAILED,)))
    acts.propose(store, seen)
    acts.begin(store, seen.id, actor="console:ops", why="the line is mended")
    store.retry(made[0], actor="cli:sam")
    acts.drive(store, seen.id)
    first, alone, last = audit.read(store)
    assert (first.act, first.target, first.actor) == ("retry", "state=failed", "console:ops")
    assert first.facts == {"act": seen.id, "matched": 3, "chosen": 3, "credits": 60}
    assert alone.target == f"job:{made[0]}"
    assert (last.act, last.why) == ("retry.done", "the line is mended")
    assert last.facts == {"act": seen.id, "chosen": 3, "did": 2, "not_ended": 1, "left": 0}


def test_entries_are_read_by_time_over_many_pages_in_their_order(
    store: Store, clock: Clock
) -> None:
    for place in range(audit.PAGE + 50):
        audit.record(store, "cli:kim", "balance.look", "account", place=place)
        if place % 100 == 99:
            clock.forward(1)
    found = list(audit.read(store))
    assert [each.facts["place"] for each in found] == list(range(audit.PAGE + 50))
    second = timedelta(seconds=1)
    some = audit.read(store, BEGIN + second, BEGIN + 2 * second)
    assert [each.facts["place"] for each in some] == list(range(100, 200))
    assert list(audit.read(store, until=BEGIN)) == []


def test_a_clock_that_steps_back_loses_no_entry(store: Store, clock: Clock) -> None:
    audit.record(store, "cli:kim", "balance.look", "account")
    clock.forward(-60)
    audit.record(store, "cli:sam", "balance.look", "account")
    assert [each.actor for each in audit.read(store)] == ["cli:kim", "cli:sam"]


def test_numbers_are_masked_unless_told_otherwise(store: Store) -> None:
    note = "asked for by +818011234567"
    audit.record(
        store, "cli:kim", "look", "job:+818011234567", note, who="+818011234567", n=12345678
    )
    masked, (whole,) = only(store), audit.read(store, mask=False)
    assert "1123" not in f"{masked.why}{masked.target}{masked.facts['who']}"
    assert masked.facts["n"] == 12345678
    assert (whole.why, whole.facts["who"]) == (note, "+818011234567")


def test_an_actor_is_one_word(store: Store) -> None:
    audit.record(store, "cli:kim lee", "look", "account")
    assert only(store).actor == "cli:kim_lee"


def test_entries_are_forgotten_by_age(store: Store, clock: Clock) -> None:
    audit.record(store, "cli:kim", "look", "one")
    clock.forward(10)
    audit.record(store, "cli:kim", "look", "two")
    assert audit.trim(store, START + 5000) == 1
    assert only(store).target == "two"
    assert "audit" in snapshot(store)
