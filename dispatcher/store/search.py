"""Finding jobs, newest first: by index, then by a few fields, and read whole only where meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dispatcher.errors import UsageError
from dispatcher.model.filters import Filter
from dispatcher.model.job import Job
from dispatcher.model.states import TERMINAL, State
from dispatcher.store.indexes import PAGE, Place, chunks, kinds, sift
from dispatcher.store.redis_url import plain_errors
from dispatcher.store.store import Store

__all__ = ["PAGE", "Filter", "InvalidCursor", "Page", "counts", "ended_before", "find", "page"]

_MOMENT = re.compile("[0-9]{1,15}")
LOOK = 500
"""Jobs that one page looks at; then it comes back with what it has."""


class InvalidCursor(UsageError, ValueError):
    """The cursor is none that a page gave; start without one."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text[:60]!r} is no cursor of a listing: start again without one")


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the jobs that are meant, newest first; `cursor` leads on, None where that is all.

    Where little matches a page may be short, or empty, and lead on all the same.
    """

    jobs: list[Job]
    cursor: str | None


def page(store: Store, wanted: Filter, limit: int, cursor: str | None = None) -> Page:
    """Return the next jobs that are meant, at most `limit`. Raises InvalidCursor.

    Looks at about `LOOK` jobs and no more, so that it is quick whatever is asked for.
    """
    after = None if cursor is None else _place(cursor)
    found: list[Place] = []
    looked, last = 0, None
    for chunk in chunks(store, wanted, after, min(limit + 1, PAGE)):
        found += sift(store, wanted, chunk)
        looked += len(chunk.places)
        if len(found) > limit or looked >= LOOK:
            last = found[limit - 1] if len(found) > limit else chunk.places[-1]
            break
    return Page(_jobs(store, wanted, found[:limit]), _cursor(last) if last else None)


def find(store: Store, wanted: Filter) -> Iterator[Job]:
    """Yield the jobs that are meant, newest first, reading as it goes."""
    for chunk in chunks(store, wanted):
        yield from _jobs(store, wanted, sift(store, wanted, chunk))


def find_ids(store: Store, wanted: Filter) -> Iterator[list[str]]:
    """Yield the ids of the jobs that are meant, newest first, some at a time."""
    for chunk in chunks(store, wanted):
        yield [id_ for _, id_ in sift(store, wanted, chunk)]


def _jobs(store: Store, wanted: Filter, places: Sequence[Place]) -> list[Job]:
    """Return the jobs as they stand now; those that moved on meanwhile are meant no more."""
    jobs = store.get_many(id_ for _, id_ in places)
    return [job for job in jobs if job is not None and wanted.matches(job)]


def _cursor(place: Place) -> str:
    return f"{place[0]:.0f}.{place[1]}"


def _place(cursor: str) -> Place:
    created, dot, id_ = cursor.partition(".")
    if not (dot and id_ and _MOMENT.fullmatch(created)):
        raise InvalidCursor(cursor)
    return float(created), id_


def counts(store: Store) -> dict[str, dict[str, int]]:
    """Return how many jobs there are: state -> reason ('' for none) -> count."""
    present = kinds(store)
    with plain_errors():
        pipe = store.redis.pipeline(transaction=False)
        for kind in present:
            pipe.zcard(store.key("idx", kind))
        sizes = pipe.execute()
    table: dict[str, dict[str, int]] = {state: {} for state in State}
    for kind, size in zip(present, sizes, strict=True):
        state, _, reason = kind.partition(":")
        table[state][reason] = size
    return table


def ended_before(store: Store, moment: float) -> Iterator[str]:
    """Yield ids of ended jobs created before a moment (ms); they may be removed meanwhile."""
    for kind in kinds(store):
        if State(kind.partition(":")[0]) in TERMINAL:
            yield from _oldest(store, store.key("idx", kind), moment)


def _oldest(store: Store, index: str, moment: float) -> Iterator[str]:
    """Yield from the oldest on; what stays where it is is passed by, what leaves is not missed."""
    stayed = 0
    while True:
        with plain_errors():
            page: Any = store.redis.zrangebyscore(
                index, "-inf", f"({moment}", start=stayed, num=PAGE
            )
        if not page:
            return
        yield from (id_.decode() for id_ in page)
        with plain_errors():
            stayed += sum(score is not None for score in store.redis.zmscore(index, page))
