"""A message of the call task that a broker gives out again, before and after its job is purged."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.store import Store
from dispatcher.store.schema import MESSAGE_KEPT, MESSAGES_KEPT, Field
from dispatcher.store.values import Enqueued
from support.redis_inside import key_of, redis_of
from support.store_jobs import RECIPIENT, assert_sound, request, snapshot

MESSAGE = "3f6c9a0e-2f0e-4f0e-9a3d-1d2c3b4a5f60"


def come(store: Store, message: str = MESSAGE, **fields: Any) -> Enqueued:
    """Enqueue as the call task does for a message: without a key, the message's id is the key."""
    fields.setdefault("key", f"task:{message}")
    return store.jobs.enqueue(request(at="1h", **fields), actor="task", message=message)


def purged(store: Store) -> None:
    """Cancel and forget what waits to call the recipient."""
    done = store.retention.forget_recipient(RECIPIENT, actor="cli", note="asked")
    assert done.jobs == done.cancelled == 1


def left(store: Store) -> set[bytes]:
    """Return the keys of messages whose job is purged."""
    return set(redis_of(store).keys(key_of(store, "purged_message", "*")))


@pytest.mark.parametrize("fields", [{}, {"key": "alert-1"}], ids=["keyless", "with a key"])
def test_it_makes_one_job_and_none_after_the_purge(store: Store, fields: dict[str, Any]) -> None:
    first = come(store, **fields)
    assert first.new
    assert come(store, **fields) == Enqueued(first.id, new=False)
    purged(store)
    assert come(store, **fields) == Enqueued(first.id, new=False)
    assert store.jobs.get_many([first.id]) == [None]
    assert_sound(snapshot(store))


def test_what_the_purge_leaves_names_nobody_and_goes_by_itself(store: Store) -> None:
    come(store, key=f"alert {RECIPIENT}")
    assert not left(store)
    purged(store)
    (kept,) = left(store)
    assert RECIPIENT.removeprefix("+") not in kept.decode()
    assert redis_of(store).get(kept) == b""
    assert 0 < redis_of(store).pttl(kept) <= MESSAGE_KEPT


def test_when_that_has_gone_a_message_is_a_new_one(store: Store) -> None:
    come(store)
    purged(store)
    redis_of(store).delete(*left(store))
    assert come(store).new


def test_an_ended_job_that_is_purged_by_its_age_leaves_its_message_too(store: Store) -> None:
    id_ = come(store).id
    store.jobs.cancel(id_, actor="cli")
    assert store.retention.forget_older(store.now() + 1).jobs == 1
    assert not come(store).new


def test_another_message_with_the_key_of_a_purged_job_is_a_new_request(store: Store) -> None:
    come(store, key="alert-1")
    purged(store)
    assert come(store, "another", key="alert-1").new


def test_each_message_that_asked_for_the_job_is_known(store: Store) -> None:
    messages = [f"message {n}" for n in range(MESSAGES_KEPT)]
    assert [come(store, each, key="alert-1").new for each in messages].count(True) == 1
    purged(store)
    assert not any(come(store, each, key="alert-1").new for each in messages)


def test_a_record_keeps_a_bounded_number_of_messages_each_once(store: Store) -> None:
    for n in sorted([*range(MESSAGES_KEPT + 5)] * 2):
        id_ = come(store, f"message {n}", key="alert-1").id
    job = redis_of(store).hgetall(key_of(store, "job", id_))
    whole = b"".join(job[name] for name in sorted(job) if name.startswith(Field.MESSAGES.encode()))
    assert len(set(whole.split(b","))) == len(whole.split(b",")) == MESSAGES_KEPT
    assert_sound(snapshot(store))


def test_a_request_of_another_producer_after_the_purge_makes_a_new_job(store: Store) -> None:
    """Only brokers repeat what nobody asked for again; a purge frees the key of the others."""
    asked = request(at="1h", key="alert-1")
    assert store.jobs.enqueue(asked, actor="billing").new
    purged(store)
    assert not left(store)
    assert store.jobs.enqueue(asked, actor="billing").new
