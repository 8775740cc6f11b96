"""Watching jobs as they change: each change as it is announced, with the job as it stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dispatcher.model.filters import Filter
from dispatcher.model.job import Event, Job
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.pubsub import Move

MOST = 500  # changes read in one round trip
_AWAY = 0.5  # seconds between tries while Redis is away


@dataclass(frozen=True, slots=True)
class Change:
    """A job came to a state: the line of its timeline, and the job as it stands by now."""

    job: Job
    event: Event


@dataclass(frozen=True, slots=True)
class Gap:
    """Redis was out of reach: what changed between these moments may not have been seen.

    In asyncio also: who watches was too far behind.
    """

    since: datetime
    until: datetime


News = Change | Gap


def watch(
    store: Store,
    filter_: Filter,
    idle: float,
    *,
    bell: str | None = None,
    going: Callable[[], bool] = lambda: True,
) -> Iterator[list[News]]:
    """Yield what changes, in order, as it happens; an empty list after `idle` seconds of nothing.

    The first list, an empty one, says that from now on nothing is missed. States and reason of
    the filter are those the job came to. Redis may go away and come back: that makes a Gap.
    It ends when it is not `going` any more, which it looks at each time, and when a bell rings.
    """
    heard: datetime | None = None
    while going():
        try:
            with store.pubsub.moves(bell) as news:
                while going():
                    resumed, moves = news.read(idle, MOST)
                    now = datetime.now(UTC)
                    gap: list[News] = [Gap(heard, now)] if resumed and heard else []
                    heard = now
                    yield gap + _changes(store, filter_, moves)
        except StoreUnavailable:
            heard = heard or datetime.now(UTC)
            time.sleep(_AWAY)


def _changes(store: Store, filter_: Filter, moves: list[Move]) -> list[News]:
    """Return the changes that were told of: which line of which job's timeline."""
    ids = list(dict.fromkeys(move.job_id for move in moves))
    jobs = dict(zip(ids, store.jobs.get_many(ids), strict=True))
    found: list[News] = []
    for move in moves:
        job = jobs[move.job_id]
        with suppress(IndexError):  # a job made anew since, for the same key
            if job is not None and matches(filter_, job, job.timeline[move.place]):
                found.append(Change(job, job.timeline[move.place]))
    return found


def matches(filter_: Filter, job: Job, event: Event) -> bool:
    """Whether a change is one that the filter asks for."""
    return (
        replace(filter_, states=(), reason=None).matches(job)
        and (not filter_.states or event.to in filter_.states)
        and filter_.reason in {None, event.reason}
    )
