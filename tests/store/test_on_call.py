"""Who is on call, as it is published, refused and swapped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dispatcher.model.on_call import Chain, Contact, OnCall, Shift, Step
from dispatcher.store import Store
from dispatcher.store.on_call import OtherVersion, UnknownRota
from support.clock import Clock
from support.redis_inside import key_of, redis_of

ANN = Contact(numbers=("+818012340002",))


def on_call(**given: Contact) -> OnCall:
    return OnCall(contacts=given, chains={"all": Chain(steps=(Step(call=("ann",)),))})


def test_what_is_published_is_read_as_it_was(store: Store) -> None:
    assert store.on_call.get() is None
    assert store.on_call.publish(on_call(ann=ANN), by="file") == 1
    found = store.on_call.get()
    assert found is not None
    assert (found.on_call, found.version, found.by) == (on_call(ann=ANN), 1, "file")


def test_the_same_again_is_no_new_version(store: Store) -> None:
    store.on_call.publish(on_call(ann=ANN), by="file")
    assert store.on_call.publish(on_call(ann=ANN), by="file") == 1
    assert store.on_call.publish(on_call(ann=ANN, bob=ANN), by="api:key") == 2
    assert [each.version for each in store.on_call.versions()] == [2, 1]
    found = store.on_call.get()
    assert found is not None
    assert found.version == 2


def test_of_two_who_change_the_same_version_one_is_told(store: Store) -> None:
    store.on_call.publish(on_call(ann=ANN), by="one", expected=0)
    with pytest.raises(OtherVersion, match="not version 0"):
        store.on_call.publish(on_call(bob=ANN), by="two", expected=0)
    found = store.on_call.get()
    assert found is not None
    assert found.by == "one"


def test_a_file_that_is_refused_leaves_the_old_one_in_force(store: Store) -> None:
    store.on_call.publish(on_call(ann=ANN), by="file")
    assert store.on_call.refuse("chains.yaml:3: no +818012340002") is True
    assert store.on_call.refuse("chains.yaml:3: no +818012340002") is False
    found = store.on_call.get()
    assert found is not None
    assert (found.version, "12340002" in found.refused) == (1, False)
    store.on_call.publish(on_call(ann=ANN), by="file")
    assert store.on_call.refused() == ""


def test_swaps_hold_until_they_end_and_go_when_they_are_over(store: Store, clock: Clock) -> None:
    now = datetime.fromtimestamp(store.now() / 1000, UTC)
    shift = Shift(who="bob", start="2026-01-06", end="2026-01-07")  # type: ignore[call-arg]
    first = store.on_call.swap("primary", shift, until=now + timedelta(days=1), by="cli:ann")
    clock.forward(1)
    second = store.on_call.swap("primary", shift, until=now + timedelta(days=9), by="cli:ann")
    assert [each.id for each in store.on_call.swaps()] == [first, second]
    assert store.on_call.overrides("primary") == {"primary": [shift, shift]}
    assert store.on_call.overrides("other") == {}
    clock.forward(3 * 86_400)
    third = store.on_call.swap("primary", shift, until=now + timedelta(days=9), by="cli:ann")
    assert [each.id for each in store.on_call.swaps()] == [second, third]
    store.on_call.end_swap(second, by="cli:ann")
    with pytest.raises(UnknownRota):
        store.on_call.end_swap(second, by="cli:ann")
    assert [each.action for each in store.audit.read()].count("rota.swap") == 3


def test_a_version_that_a_failover_lost_is_not_taken_for_the_one_that_came_after(
    store: Store,
) -> None:
    store.on_call.publish(on_call(ann=ANN), by="file")
    assert store.on_call.get()
    redis_of(store).delete(key_of(store, "on_call"))
    assert store.on_call.publish(on_call(ann=ANN, bob=ANN), by="file") == 1
    found = store.on_call.get()
    assert found is not None
    assert set(found.on_call.contacts) == {"ann", "bob"}
