"""Jobs in every state for bulk actions, and actions proposed, begun and run."""

from __future__ import annotations

from typing import Any

from dispatcher.model.bulk_action import BulkAction, BulkActionKind, Preview
from dispatcher.model.filters import Filter
from dispatcher.model.states import State
from dispatcher.policy import Decision, Policy, after_window
from dispatcher.store import Store
from support.store_jobs import claim, enqueue

FAILED = Filter(states=(State.FAILED,))


LOST = Decision(State.UNCERTAIN, "maybe_placed", "the answer was lost", delay=300)


def completed(store: Store, **fields: Any) -> str:
    id_ = enqueue(store, **fields)
    answered = Decision(State.COMPLETED, "answered", "it was answered")
    store.calls.settle(id_, claim(store, id_).attempt, answered)
    return id_


def uncertain(store: Store, **fields: Any) -> str:
    id_ = enqueue(store, **fields)
    store.calls.settle(id_, claim(store, id_).attempt, LOST)
    return id_


def unknown(store: Store, **fields: Any) -> str:
    """Return a job that failed with nobody knowing whether somebody was called."""
    id_ = uncertain(store, on_uncertain="hold", **fields)
    job = store.jobs.get(id_)
    store.calls.settle(id_, len(job.attempts), after_window(job, Policy()))
    assert store.jobs.get(id_).reason == "outcome_unknown"
    return id_


def cancelled(store: Store, **fields: Any) -> str:
    id_ = enqueue(store, **fields)
    store.jobs.cancel(id_, actor="cli")
    return id_


def states(store: Store, ids: list[str]) -> set[State]:
    return {store.jobs.get(id_).state for id_ in ids}


def left_out(found: Preview | BulkAction) -> dict[str, tuple[int, set[str]]]:
    parts = found.excluded if isinstance(found, Preview) else found.skipped
    return {each.reason: (each.count, set(each.ids)) for each in parts}


def begun(store: Store, act: BulkActionKind, meant: Any, why: str = "", **how: Any) -> Preview:
    made = store.bulk.preview(act, meant, **how)
    store.bulk.create(made)
    assert store.bulk.begin(made.id, actor="cli:kim", note=why)
    return made


def run(store: Store, act: BulkActionKind, meant: Any, why: str = "", **how: Any) -> BulkAction:
    made = begun(store, act, meant, why, **how)
    assert store.bulk.drive(made.id, sleep=lambda _: None)
    return store.bulk.get(made.id)
