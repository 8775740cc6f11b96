"""Drills in the store: each that was due is dealt with once, and its outcome told once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from dispatcher.store import Store


def told(store: Store) -> list[tuple[str, dict[str, object]]]:
    return [(e.kind, {n: v for n, v in e.facts.items() if n != "at"}) for e in store.events.after()]


def test_what_was_due_is_noted_once_and_never_an_earlier_one(store: Store) -> None:
    assert store.drills.last("database day 10:00 UTC") is None
    assert store.drills.note("database day 10:00 UTC", 2000)
    assert not store.drills.note("database day 10:00 UTC", 2000)
    assert not store.drills.note("database day 10:00 UTC", 1000)
    assert store.drills.last("database day 10:00 UTC") == 2000
    assert store.drills.note("database monday 10:00 UTC", 1000)
    assert told(store) == []


def test_one_that_is_left_out_is_told_once(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        notes = pool.map(
            lambda _: store.drills.note("a day", 5, chain="a", skipped="too late"), range(12)
        )
    assert sum(notes) == 1
    assert told(store) == [("drill.skipped", {"chain": "a", "due": 5, "why": "too late"})]


def test_an_outcome_is_told_once(store: Store) -> None:
    store.drills.rings("al_1", "database")
    assert store.drills.ringing() == {"al_1": "database"}
    assert store.drills.end("al_1", "passed", "ann has it", by="ann", seconds=42.4)
    assert not store.drills.end("al_1", "failed", "nobody answered", by=None, seconds=60)
    assert store.drills.ringing() == {}
    facts = {
        "chain": "database",
        "alert": "al_1",
        "why": "ann has it",
        "by": "ann",
        "seconds": 42,
    }
    assert told(store) == [("drill.passed", facts)]
    assert store.statistics.counters()["drills.passed"] == 1
