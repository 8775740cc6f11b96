"""Watching jobs as they change: each change as it is announced, with the job as it stands."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dispatcher.model.job import Event, Job
from dispatcher.store import Store
from dispatcher.store.redis_url import StoreUnavailable, plain_errors
from dispatcher.store.search import Filter

if TYPE_CHECKING:
    from redis.client import PubSub

MOST = 500  # changes read in one round trip
_AWAY = 0.5  # seconds between tries while Redis is away


@dataclass(frozen=True, slots=True)
class Change:
    """A job came to a state: the line of its timeline, and the job as it stands by now."""

    job: Job
    event: Event


@dataclass(frozen=True, slots=True)
class Gap:
    """Redis was out of reach: what changed between these moments may not have been seen."""

    since: datetime
    until: datetime


News = Change | Gap


def watch(store: Store, wanted: Filter, idle: float) -> Iterator[list[News]]:
    """Yield what changes, in order, as it happens; an empty list after `idle` seconds of nothing.

    The first list, an empty one, says that from now on nothing is missed. States and reason of
    the filter are those the job came to. Redis may go away and come back: that makes a Gap.
    """
    heard: datetime | None = None
    while True:
        try:
            with plain_errors(), store.redis.pubsub() as news:
                news.psubscribe(store.key("job", "*"))
                while True:
                    told = _told(news, idle)
                    now = datetime.now(UTC)
                    resumed = any(message["type"] == "psubscribe" for message in told)
                    gap: list[News] = [Gap(heard, now)] if resumed and heard else []
                    heard = now
                    yield gap + _changes(store, wanted, told)
        except StoreUnavailable:
            heard = heard or datetime.now(UTC)
            time.sleep(_AWAY)


def _told(news: PubSub, idle: float) -> list[dict[str, Any]]:
    found = []
    message = news.get_message(timeout=idle)
    while message is not None:
        found.append(message)
        message = news.get_message(timeout=0) if len(found) < MOST else None
    return found


def _changes(store: Store, wanted: Filter, told: list[dict[str, Any]]) -> list[News]:
    """Return the changes that were told of: which line of which job's timeline."""
    lines = [
        (message["channel"].decode().rpartition(":")[2], int(message["data"]))
        for message in told
        if message["type"] == "pmessage"
    ]
    ids = list(dict.fromkeys(id_ for id_, _ in lines))
    jobs = dict(zip(ids, store.get_many(ids), strict=True))
    found: list[News] = []
    for id_, place in lines:
        job = jobs[id_]
        with suppress(IndexError):  # a job made anew since, for the same key
            if job is not None and meant(wanted, job, job.timeline[place]):
                found.append(Change(job, job.timeline[place]))
    return found


def meant(wanted: Filter, job: Job, event: Event) -> bool:
    """Whether a change is one that the filter asks for."""
    return (
        replace(wanted, states=(), reason=None).matches(job)
        and (not wanted.states or event.to in wanted.states)
        and wanted.reason in {None, event.reason}
    )
