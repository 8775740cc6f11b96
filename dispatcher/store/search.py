"""Finding jobs, newest first: by index, then by a few fields, and read whole where it matches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dispatcher.errors import UsageError
from dispatcher.model.filters import Filter
from dispatcher.model.job import Job
from dispatcher.model.states import TERMINAL, State
from dispatcher.store.connection import Connection, Repository
from dispatcher.store.indexes import PAGE, Indexes, Place
from dispatcher.store.jobs import Jobs

_MOMENT = re.compile("[0-9]{1,15}")
MOST_READ = 500
"""Jobs that one page looks at; then it comes back with what it has."""


class InvalidCursor(UsageError, ValueError):
    """The cursor is none that a page gave; start without one."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text[:60]!r} is not a cursor: start again without one")


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the jobs that match, newest first; `cursor` leads on, None where that is all.

    Where little matches a page may be short, or empty, and lead on all the same.
    """

    jobs: list[Job]
    cursor: str | None


class Search(Repository):
    """The account's jobs, by what they are."""

    def __init__(self, connection: Connection, jobs: Jobs) -> None:
        super().__init__(connection)
        self._jobs, self._indexes = jobs, Indexes(connection)

    def page(self, filter_: Filter, limit: int, cursor: str | None = None) -> Page:
        """Return the next jobs that match, at most `limit`. Raises InvalidCursor.

        Reads about `MOST_READ` jobs and no more, so that it is quick whatever is asked for.
        """
        after = None if cursor is None else _place(cursor)
        found: list[Place] = []
        read, last = 0, None
        for chunk in self._indexes.chunks(filter_, after, min(limit + 1, PAGE)):
            found += self._indexes.sift(filter_, chunk)
            read += len(chunk.places)
            if len(found) > limit or read >= MOST_READ:
                last = found[limit - 1] if len(found) > limit else chunk.places[-1]
                break
        return Page(self._read(filter_, found[:limit]), _cursor(last) if last else None)

    def find(self, filter_: Filter) -> Iterator[Job]:
        """Yield the jobs that match, newest first, reading as it goes."""
        for chunk in self._indexes.chunks(filter_):
            yield from self._read(filter_, self._indexes.sift(filter_, chunk))

    def find_ids(self, filter_: Filter) -> Iterator[list[str]]:
        """Yield the ids of the jobs that match, newest first, some at a time."""
        for chunk in self._indexes.chunks(filter_):
            yield [id_ for _, id_ in self._indexes.sift(filter_, chunk)]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many jobs there are: state -> reason ('' for none) -> count."""
        table: dict[str, dict[str, int]] = {state: {} for state in State}
        for kind, size in self._indexes.kinds().items():
            state, _, reason = kind.partition(":")
            if size or reason:
                table[state][reason] = size
        return table

    def ended_before(self, moment: float) -> Iterator[str]:
        """Yield ids of ended jobs created before a moment (ms), of each kind of end the
        oldest first; they may be removed meanwhile.
        """
        for kind in self._indexes.kinds():
            if State(kind.partition(":")[0]) in TERMINAL:
                yield from self._indexes.oldest(("by_state", kind), moment)

    def _read(self, filter_: Filter, places: Sequence[Place]) -> list[Job]:
        """Return the jobs as they stand now; those that moved on are left out."""
        jobs = self._jobs.get_many(id_ for _, id_ in places)
        return [job for job in jobs if job is not None and filter_.matches(job)]


def _cursor(place: Place) -> str:
    return f"{place[0]:.0f}.{place[1]}"


def _place(cursor: str) -> Place:
    created, dot, id_ = cursor.partition(".")
    if not (dot and id_ and _MOMENT.fullmatch(created)):
        raise InvalidCursor(cursor)
    return float(created), id_
