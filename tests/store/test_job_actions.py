"""What a person does to one job: cancel, retry; who and why."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dispatcher.model.states import State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.values import Refused, UnknownJob
from support.claims import claim_one, take
from support.clock import Clock
from support.store_jobs import (
    assert_sound,
    at,
    claim,
    enqueue,
    failed,
    in_progress,
    snapshot,
    states,
)

LEASE = 30


def test_a_waiting_job_can_be_cancelled_and_is_not_dialled(store: Store) -> None:
    id_ = enqueue(store, expires=60)
    store.jobs.cancel(id_, actor="cli:kim", note="wrong list")
    job = store.jobs.get(id_)
    assert (job.state, job.timeline[-1].actor, job.timeline[-1].why) == (
        State.CANCELLED,
        "cli:kim",
        "wrong list",
    )
    assert take(store) == []
    assert claim_one(store, id_, token="t", lease=LEASE) is State.CANCELLED
    assert_sound(snapshot(store))


@pytest.mark.parametrize("make", [in_progress, failed])
def test_what_is_being_dialled_or_over_cannot_be_cancelled(
    store: Store, make: Callable[[Store], str]
) -> None:
    id_ = make(store)
    before = snapshot(store)
    with pytest.raises(Refused, match="cannot be cancelled"):
        store.jobs.cancel(id_, actor="cli")
    assert snapshot(store) == before


def test_an_unknown_job_is_neither_cancelled_nor_retried_nor_shown(store: Store) -> None:
    for act in (store.jobs.cancel, store.jobs.retry):
        with pytest.raises(UnknownJob, match="check the id"):
            act("nosuchjob", actor="cli")
    with pytest.raises(UnknownJob):
        store.jobs.get("nosuchjob")


def test_a_retriggered_job_goes_into_line_again_with_all_its_history(
    store: Store, clock: Clock
) -> None:
    id_ = failed(store, expires=60)
    clock.forward(3600)
    store.jobs.retry(id_, actor="cli:kim", note="number mended")
    job = store.jobs.get(id_)
    assert (job.state, job.reason, job.spent, job.since) == (State.QUEUED, None, 0, 1)
    assert job.expires_at == at(clock.ms + 60_000)
    assert job.finished_at is None
    assert states(job) == ["queued", "dialing", "failed", "queued"]
    assert claim(store, id_).attempt == 2
    assert_sound(snapshot(store))


def test_a_retrigger_can_set_a_new_deadline(store: Store, clock: Clock) -> None:
    id_ = enqueue(store, expires=60)
    clock.forward(60)
    store.queue.pump()
    store.jobs.retry(id_, actor="cli", expires=600)
    assert store.jobs.get(id_).expires_at == at(clock.ms + 600_000)


def test_a_job_that_reached_somebody_or_still_waits_is_not_retriggered(store: Store) -> None:
    done = in_progress(store)
    store.calls.settle(done, 1, Decision(State.COMPLETED, "answered", "ANSWERED"))
    for id_, why in ((done, "it was reached"), (enqueue(store), "queued, not ended")):
        with pytest.raises(Refused, match=why):
            store.jobs.retry(id_, actor="cli")
    assert store.jobs.get(done).state is State.COMPLETED


def test_who_acted_is_one_word_in_the_timeline_whatever_their_name(store: Store) -> None:
    id_ = enqueue(store)
    store.jobs.cancel(id_, actor="cli:Kim Lee", note="wrong list")
    event = store.jobs.get(id_).timeline[-1]
    assert (event.to, event.actor, event.why) == ("cancelled", "cli:Kim_Lee", "wrong list")
