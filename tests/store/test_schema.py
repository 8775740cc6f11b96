"""Whose records these are: the schema in Redis is looked at in every step."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dispatcher.model.states import State
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnsuitable
from dispatcher.store.schema import BARRIER, FIRST_SCHEMA_KEYS, KEYS, MIGRATING, SCHEMA
from support.redis_inside import key_of, redis_of, root_of
from support.store_jobs import enqueue, snapshot

KNOWN = f"this process knows schema {SCHEMA}"
HALF = "a migration of the records in Redis is under way or was broken off"
SENTENCES = {
    "4": f"the records in Redis are of schema 4, {KNOWN}: upgrade it",
    "2": f"the records in Redis are of schema 2, {KNOWN}: run voice-dispatcher migrate",
    "1": f"the records in Redis are of schema 1, {KNOWN}: run voice-dispatcher migrate",
    MIGRATING: f"{HALF}: run voice-dispatcher migrate again",
    "two": "the key `schema` in Redis holds 'two', which is no schema of ours",
}
ASKED: dict[str, Callable[[Store], object]] = {
    "writes": enqueue,
    "reads by an operation": lambda store: store.limiter.pace(),
    "reads by itself": lambda store: store.jobs.get_many(["a" * 16]),
    "lists": lambda store: store.search.counts(),
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("found", SENTENCES)
def test_records_of_another_schema_are_neither_read_nor_written(
    store: Store, asked: str, found: str
) -> None:
    redis_of(store).set(key_of(store, "schema"), found)
    with pytest.raises(StoreUnsuitable) as told:
        ASKED[asked](store)
    assert str(told.value) == SENTENCES[found]
    assert redis_of(store).keys(f"{root_of(store)}:*") == [key_of(store, "schema").encode()]


@pytest.mark.parametrize("name", FIRST_SCHEMA_KEYS)
@pytest.mark.parametrize("asked", ASKED)
def test_a_store_of_the_first_release_is_not_taken_for_an_empty_one(
    store: Store, asked: str, name: str
) -> None:
    redis_of(store).hset(f"{root_of(store)}:{name}", "a", "b")
    with pytest.raises(StoreUnsuitable, match=r"schema 1.*run voice-dispatcher migrate"):
        ASKED[asked](store)
    assert not redis_of(store).exists(key_of(store, "schema"))


def test_an_empty_store_is_given_its_schema_by_the_first_step_that_writes(store: Store) -> None:
    assert store.search.counts()[State.QUEUED] == {}
    assert redis_of(store).keys(f"{root_of(store)}:*") == []  # looking leaves no trace
    enqueue(store)
    assert redis_of(store).get(key_of(store, "schema")) == str(SCHEMA).encode()


def test_after_redis_was_emptied_the_schema_is_written_again(store: Store) -> None:
    enqueue(store)
    redis_of(store).flushdb()
    enqueue(store)
    assert redis_of(store).get(key_of(store, "schema")) == str(SCHEMA).encode()
    assert len([name for name in snapshot(store) if name.startswith("jobs:")]) == 1


def test_processes_of_the_first_release_are_stopped_by_what_they_read_first(store: Store) -> None:
    enqueue(store)
    assert redis_of(store).type(f"{root_of(store)}:{BARRIER}") == b"string"


def test_no_key_has_a_name_of_the_first_release() -> None:
    first = {
        *("job", "idx", "reasons", "next", "usual", "lines", "ready", "held", "holds", "fed"),
        *("tag", "recipients", "calls", "gates", "breaker", "limits", "pace", "recent", "person"),
        *("connections", "busy", "reports", "counts", "notices", "ended", "console", "hook"),
        *("hooks", "turn", "keys", "apikey", "quota", "audit", "act", "acts", "credit", "burn"),
        *("waiting", "costs", "caps", "used", "bell"),
    }
    ours = {template.partition(":")[0] for name, template in KEYS.items() if name != "bell"}
    assert not first & ours
