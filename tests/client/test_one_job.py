"""What a producer can do with a job of its own: the same from code that waits and from asyncio."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from dispatcher import (
    Dispatcher,
    InvalidDuration,
    NotFinished,
    Refused,
    State,
    UnknownJob,
)
from dispatcher.client.messages import Messenger
from dispatcher.model.alert import InvalidAlert
from dispatcher.store import Store
from dispatcher.store.holds import PauseScope
from support.claims import take
from support.redis_inside import key_of, redis_of
from support.store_jobs import claim, in_progress, placed

NUMBER = "+818012340001"


def test_a_job_can_be_cancelled_and_dialled_again(d: Any) -> None:
    job = d.call(NUMBER, say="Hello", expires="1h")
    assert job.cancel(note="wrong template").state is State.CANCELLED
    again = job.retry(note="it was right", expires="15m")
    assert again.state is State.QUEUED
    assert (again.expires_at - again.timeline[-1].at).total_seconds() == pytest.approx(900, abs=1)
    told = [(event.to, event.actor, event.why) for event in job.refresh().timeline]
    assert told[-2:] == [
        ("cancelled", "billing", "wrong template"),
        ("queued", "billing", "it was right"),
    ]


def test_an_alert_of_ones_own_is_reported_once_and_ended_by_its_key(d: Any, store: Store) -> None:
    said = {"key": "disk-db1", "labels": {"team": "db"}, "severity": "warning"}
    first = d.alert("Disk full on db1", **said)
    assert (first.what, d.alert("Disk full on db1", **said).what) == ("new", "repeat")
    found = store.alerts.get(first.id)
    assert (found.summary, found.labels["team"], found.severity) == (
        "Disk full on db1",
        "db",
        "warning",
    )
    assert found.timeline[0].by == "billing"
    assert d.alert("Disk full on db1", key="disk-db1", resolved=True).what == "resolved"
    with pytest.raises(InvalidAlert, match="'bad' is no severity"):
        d.alert("x", severity="bad")


def test_by_its_id_as_well(d: Any) -> None:
    id_ = d.call(NUMBER, say="Hello").id
    assert d.cancel(id_).state is State.CANCELLED
    assert d.retry(id_).state is State.QUEUED
    assert d.why(id_).job.id == d.job(id_).id == id_


def test_what_cannot_be_done_says_why_and_how_the_job_stands(d: Any, store: Store) -> None:
    id_ = d.call(NUMBER, say="Hello").id
    store.calls.settle(id_, claim(store, id_).attempt, placed())
    with pytest.raises(Refused, match=f"{id_} cannot be cancelled: it is in_progress") as caught:
        d.cancel(id_)
    assert (caught.value.state, caught.value.reason) == (State.IN_PROGRESS, None)
    with pytest.raises(Refused, match="cannot be retried: it is in_progress, not ended"):
        d.retry(id_)
    with pytest.raises(UnknownJob):
        d.cancel("a" * 16)
    with pytest.raises(UnknownJob):
        d.why("a" * 16)


def test_a_wrong_deadline_changes_nothing(d: Any) -> None:
    job = d.call(NUMBER, say="Hello")
    job.cancel()
    with pytest.raises(InvalidDuration, match="'soon' is not a duration"):
        job.retry(expires="soon")
    with pytest.raises(Refused, match="not between now and 366 days ahead"):
        job.retry(expires="9999d")
    assert job.refresh().state is State.CANCELLED


def test_why_says_it_in_words(d: Any, store: Store) -> None:
    store.holds.pause(PauseScope(), actor="cli:sam", note="wrong template")
    job = d.call(NUMBER, say="Hello")
    assert "wrong template" in str(job.why())
    assert job.why().job.id == job.id


# -- by its key ---------------------------------------------------------------------------------


def test_a_job_is_found_by_its_key(d: Any) -> None:
    job = d.call(NUMBER, say="Hello", key="alert-8812")
    found = d.find(key="alert-8812")
    assert found == job
    assert (job.new, found.new) == (True, False)
    assert found.cancel().key == "alert-8812"
    assert d.find(key="alert-8813") is None


def test_a_key_means_something_within_its_scope_alone(
    d: Any, store: Store, messenger: Messenger
) -> None:
    """Clients of the HTTP API each have a scope."""
    other = Dispatcher(store, messenger, scope="shop")
    mine, theirs = d.call(NUMBER, say="Hello", key="1"), other.call(NUMBER, say="Hello", key="1")
    assert d.find(key="1").id == mine.id
    found = other.find(key="1")
    assert found is not None
    assert found.id == theirs.id != mine.id


def test_a_job_that_is_gone_is_not_found(d: Any, store: Store) -> None:
    job = d.call(NUMBER, say="Hello", key="1")
    redis_of(store).delete(key_of(store, "job", job.id))
    assert d.find(key="1") is None


# -- a wait that gives up -----------------------------------------------------------------------


def test_who_gives_up_is_told_the_id_the_state_and_why_it_is_held(d: Any, store: Store) -> None:
    store.holds.pause(PauseScope(), actor="cli:sam", note="wrong template")
    job = d.call(NUMBER, say="Hello")
    take(store)  # where a job that a hold stops becomes held
    with pytest.raises(NotFinished) as caught:
        job.wait(timeout=0.1)
    told = caught.value
    assert (told.id, told.state, told.hold_reason) == (job.id, State.HELD, "paused")
    for part in (job.id, "still held (paused)", "wrong template", "the job continues"):
        assert part in str(told)
    assert isinstance(told, TimeoutError)


def test_who_gives_up_on_a_call_is_told_when_it_is_looked_at(d: Any, store: Store) -> None:
    id_ = in_progress(store)
    with pytest.raises(NotFinished, match=r"still in_progress: .*next status check") as caught:
        d.wait(id_, 0.1)
    assert caught.value.hold_reason is None


def test_the_error_goes_from_process_to_process(d: Any) -> None:
    """As it does from a pool of processes, which unpickles what was raised."""
    job = d.call(NUMBER, say="Hello")
    with pytest.raises(NotFinished) as caught:
        job.wait(timeout=0.1)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.id, again.state) == (str(caught.value), job.id, State.QUEUED)
