"""A request becomes one job, once for its key, and keeps all that was asked for."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta

import pytest

from dispatcher.model.filters import Filter
from dispatcher.model.request import JobRequest
from dispatcher.model.states import Priority, State
from dispatcher.store import Store
from dispatcher.store.accepting import AT_ONCE
from dispatcher.store.errors import StoreUnsuitable
from dispatcher.store.values import KeyConflict, job_id
from support.claims import take
from support.clock import Clock
from support.redis_inside import redis_of
from support.store_jobs import (
    RECIPIENT,
    START,
    assert_sound,
    at,
    enqueue,
    request,
    snapshot,
    states,
)


def test_a_new_job_is_queued_and_keeps_all_that_was_asked_for(store: Store) -> None:
    done = store.jobs.enqueue(
        request(
            tags=["db1", "disk"],
            key="alert-1",
            caller="815012345678",
            priority="urgent",
            expires="15m",
            redial=1,
            redial_after=60,
            max_attempts=4,
            on_uncertain="redial",
            evidence_window=90,
            call_deadline="1h",
        )
    )
    job = store.jobs.get(done.id)
    assert done.new
    assert (job.state, job.priority, job.numbers) == (State.QUEUED, Priority.URGENT, (RECIPIENT,))
    assert (job.say, job.lang, job.tags, job.key) == ("Disk full", "en", ("db1", "disk"), "alert-1")
    assert (job.caller, job.max_attempts) == ("815012345678", 4)
    assert (job.redial, job.redial_after) == (1, 60)
    assert (job.on_uncertain, job.evidence_window, job.call_deadline) == ("redial", 90, 3600)
    assert (job.created_at, job.due_at) == (at(START), at(START))
    assert job.expires_at == at(START) + timedelta(minutes=15)
    assert (job.attempts, job.spent, states(job)) == ((), 0, ["queued"])
    assert_sound(snapshot(store))


def test_whoever_enqueues_learns_whom_to_wake_once_for_all_that_waits(store: Store) -> None:
    woken: list[Priority] = []
    store.jobs.enqueue(request(priority="urgent"), wake=woken.append)
    store.jobs.enqueue(request(), wake=woken.append)
    assert woken == [Priority.URGENT]


def test_a_job_is_accepted_though_nobody_can_be_woken(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(_: Priority) -> None:
        raise StoreUnsuitable("the broker lets us write nothing")

    done = store.jobs.enqueue(request(), wake=refused)
    assert done.new
    assert "no worker was woken: the broker lets us write nothing" in caplog.text


def test_a_job_for_later_is_scheduled_and_says_when_it_goes_on(store: Store, clock: Clock) -> None:
    job = store.jobs.get(enqueue(store, at="10m"))
    assert job.state is State.SCHEDULED
    assert job.next_action is not None
    assert job.next_action.at == job.due_at == at(START) + timedelta(minutes=10)
    assert take(store) == []


def test_a_moment_that_has_passed_means_now(store: Store) -> None:
    job = store.jobs.get(enqueue(store, at=at(START - 5000)))
    assert (job.state, job.due_at) == (State.QUEUED, at(START))


def test_long_texts_come_back_whole_whatever_their_alphabet(store: Store) -> None:
    text = "ディスクがいっぱいです。" * 300
    assert store.jobs.get(enqueue(store, say=text, lang="ja")).say == text


@pytest.mark.parametrize("length", [59, 60, 61, 120, 121])
def test_texts_come_back_whole_at_the_edges_of_their_pieces(store: Store, length: int) -> None:
    assert store.jobs.get(enqueue(store, say="x" * length)).say == "x" * length


def test_the_same_key_and_request_is_the_same_job(store: Store) -> None:
    first = store.jobs.enqueue(request(key="k"))
    assert store.jobs.enqueue(request(key="k")) == type(first)(first.id, new=False)
    assert states(store.jobs.get(first.id)) == ["queued"]


def test_the_same_key_with_another_request_is_refused_and_changes_nothing(store: Store) -> None:
    enqueue(store, key="k")
    before = snapshot(store)
    with pytest.raises(KeyConflict, match="belongs to another request"):
        enqueue(store, key="k", say="Something else")
    assert snapshot(store) == before


def test_a_key_conflict_shows_no_telephone_number(store: Store) -> None:
    enqueue(store, key=f"alert-{RECIPIENT}")
    with pytest.raises(KeyConflict) as caught:
        enqueue(store, key=f"alert-{RECIPIENT}", say="Something else")
    assert RECIPIENT[1:] not in str(caught.value)


def test_the_same_key_in_another_scope_is_another_job(store: Store) -> None:
    one = store.jobs.enqueue(request(key="k"), scope="alice")
    assert store.jobs.enqueue(request(key="k"), scope="bob").new
    assert one.id == job_id("k", "alice")


def test_a_batch_answers_in_the_order_of_its_requests(store: Store) -> None:
    batch = [request(key="a"), request(), request(key="a"), request(key="a", say="Other")]
    made, other, same, conflict = store.jobs.enqueue_many(batch)
    assert [made.unwrap().new, other.unwrap().new, same.unwrap().new] == [True, True, False]
    assert same.id == made.id
    with pytest.raises(KeyConflict):
        conflict.unwrap()


def test_many_jobs_of_one_step_take_few_commands_each(store: Store) -> None:
    """Indexes and counters are written once for all."""

    def commands() -> int:
        found = redis_of(store).info("commandstats")
        return sum(each["calls"] for each in found.values())

    def requests(what: str) -> list[JobRequest]:
        return [request(key=f"{what} {n}", tags=["a", "campaign:b"]) for n in range(AT_ONCE)]

    store.jobs.enqueue_many(requests("first"))
    before = commands()
    store.jobs.enqueue_many(requests("next"))
    assert (commands() - before) / AT_ONCE < 7
    for filter_ in (Filter(tag="a"), Filter(tag="campaign:b"), Filter(recipient=RECIPIENT)):
        assert len(list(store.search.find(filter_))) == 2 * AT_ONCE
    assert store.campaigns.get("b").jobs == 2 * AT_ONCE


def test_the_id_of_a_key_is_the_base32_of_its_hash() -> None:
    """As it was of all that stand in Redis, and as other languages can work it out."""
    for key, scope in [("alert-1", ""), ("", "billing"), ("東京", "a")]:
        digest = hashlib.blake2b(f"{scope}\0{key}".encode(), digest_size=10).digest()
        assert job_id(key, scope) == base64.b32encode(digest).decode().lower()
    assert len(job_id(None)) == 16
