"""Walking the indexes: the smallest that serves, newest first, in chunks.

A place (creation, id) says how far a walk has come, so that jobs may come and move meanwhile.
What the index cannot tell is told by a few fields of each record.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from dispatcher.model.filters import Filter
from dispatcher.model.job import LONGEST_PRODUCER
from dispatcher.model.states import CALLING, State
from dispatcher.store.connection import Repository, pairs
from dispatcher.store.errors import plain_errors
from dispatcher.store.event_text import actor_of
from dispatcher.store.recipients import FEWEST_DIGITS, Range, ranges
from dispatcher.store.schema import PAGE_FULL, Field, has_one_page

PAGE = 200
"""Index entries read in one round trip."""
FEW = 1000
"""Jobs of a recipient that are put in order here; more are found by another index."""

Place = tuple[float, str]
"""Where a job stands in a walk: created (ms since the epoch), id."""


Index = tuple[str, str]
"""An index by creation: `by_state` or `by_tag`, and `<state>[:<reason>]` or the tag."""
Walk = tuple[frozenset[str], Iterator[Place]]
"""A walk through an index, and what the index knows."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some entries of an index, and of what it says that they match: the names of fields."""

    places: list[Place]
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class Glance:
    """As much of a job as a filter looks at."""

    state: State
    reason: str | None
    numbers: tuple[str, ...]
    producer: str
    tags: tuple[str, ...]
    created: float

    @property
    def hold_reason(self) -> str | None:
        """The same as reason: the record has one field for both."""
        return self.reason

    @property
    def created_at(self) -> datetime:
        """When it was accepted."""
        return datetime.fromtimestamp(self.created / 1000, UTC)


class Indexes(Repository):
    """The indexes of the account's jobs."""

    def chunks(
        self, filter_: Filter, after: Place | None = None, size: int = PAGE
    ) -> Iterator[Chunk]:
        """Yield what stands after a place in the smallest index that has all jobs that match."""
        known, walk = self._smallest(filter_, after, size)
        ordered = _falling(walk)
        while places := list(islice(ordered, size)):
            yield Chunk(places, known)

    def sift(self, filter_: Filter, chunk: Chunk) -> list[Place]:
        """Return the places of the jobs that match."""
        if _asked(filter_) <= chunk.known:
            return chunk.places
        glances = self._glances(filter_, chunk.places)
        pairs = zip(chunk.places, glances, strict=True)
        return [place for place, glance in pairs if glance is not None and filter_.matches(glance)]

    def kinds(self) -> dict[str, int]:
        """Return of every state, and every `<state>:<reason>` that was ever used, how many jobs
        stand there.
        """
        pages = [("ZCARD", self._key("by_state_page", state, "")) for state in CALLING]
        counted, *calling = self._read_together(("HGETALL", self._key("states")), *pages)
        used = {kind.decode(): int(many) for kind, many in pairs(counted).items()}
        used |= zip(map(str, CALLING), calling, strict=True)
        return dict(sorted((dict.fromkeys(map(str, State), 0) | used).items()))

    def walk(
        self,
        index: Index,
        after: Place | None = None,
        *,
        since: float | None = None,
        until: float | None = None,
        size: int = PAGE,
        begun: list[Place] | None = None,
    ) -> Iterator[Place]:
        """Yield the places of an index after one, newest first, reading some at a time: created
        from `since` on and before `until` (ms). `begun` are the first ones, where they are known.
        """
        places = begun
        while True:
            if places is None:
                (places,) = self.newest([index], after, since=since, until=until, most=size)
            yield from places
            if len(places) < size:
                return
            after, places = places[-1], None

    def newest(
        self,
        indexes: Sequence[Index],
        after: Place | None = None,
        *,
        since: float | None = None,
        until: float | None = None,
        most: int,
    ) -> list[list[Place]]:
        """Return the first places of each after one, read in one step: a job that goes from one
        index to another meanwhile would be found in neither.
        """
        if not indexes:
            return []
        first, below = _bounds(since, until, after)
        found: Any = self._run(
            "read_index", indexes=list(indexes), first=first, below=below, most=most
        )
        return [_places(flat) for flat in found]

    def oldest(self, index: Index, until: float) -> Iterator[str]:
        """Yield the ids of an index, the oldest first, created before a moment (ms)."""
        first, below = "", f"{math.ceil(until):015}"
        places = None
        while places is None or len(places) == PAGE:
            (flat,) = self._run(
                "read_index", indexes=[index], first=first, below=below, most=PAGE, oldest=True
            )
            places = _places(flat)
            yield from (id_ for _, id_ in places)
            first = f"{place_text(*places[-1])} " if places else ""  # right behind it

    def _smallest(self, filter_: Filter, after: Place | None, size: int) -> Walk:
        """Return the walk through the index with the fewest entries, and what it knows."""
        since, until = _moments(filter_)
        states = [("by_state", kind) for kind in self.kinds() if _may_hold(kind, filter_)]
        tag = [("by_tag", filter_.tag)] if filter_.tag is not None else []
        sizes, of_recipient = self._sizes([*states, *tag], filter_)
        if of_recipient <= FEW:
            return frozenset({"recipient"}), iter(self._of_recipient(filter_, after))
        if tag and sizes[-1] <= sum(sizes[:-1]):
            walk = self.walk(tag[0], after, since=since, until=until, size=size)
            return frozenset({"tag"}), walk
        begun = self.newest(states, after, since=since, until=until, most=size)
        lines = [
            self.walk(index, after, since=since, until=until, size=size, begun=first)
            for index, first in zip(states, begun, strict=True)
        ]
        return frozenset({"states", "reason"}), heapq.merge(*lines, reverse=True)

    def _sizes(self, indexes: Sequence[Index], filter_: Filter) -> tuple[list[int], float]:
        """Return about how many pages of each there are between the bounds, and how many jobs the
        recipient has, infinity where that is not known.
        """
        first, below = _bounds(*_moments(filter_), None)
        of_number = _ranges(filter_)
        with plain_errors():
            pipe = self._pipeline()
            for kind, name in indexes:
                if has_one_page(kind, name):
                    pipe.zcard(self._key(f"{kind}_page", name, ""))
                else:
                    bounds = f"[{first}", f"({below}" if below else "+"
                    pipe.zlexcount(self._key(kind, name), *bounds)
            for last, low, high in of_number:
                pipe.zcount(self._key("by_recipient", last), low, high)
            found = pipe.execute()
        of_recipient = sum(found[len(indexes) :]) if of_number else math.inf
        pages = [
            many // PAGE_FULL if has_one_page(*index) else many
            for index, many in zip(indexes, found, strict=False)
        ]
        return pages, of_recipient

    def _of_recipient(self, filter_: Filter, after: Place | None) -> list[Place]:
        with plain_errors():
            pipe = self._pipeline()
            for last, low, high in _ranges(filter_):
                pipe.zrangebyscore(self._key("by_recipient", last), low, high)
            found = pipe.execute()
            # A conference stands there once for each number.
            ids = list({each.decode().partition(":")[0] for entries in found for each in entries})
            for id_ in ids:
                pipe.hget(self._key("job", id_), Field.CREATED)
            moments = pipe.execute()
        places = [(float(at), id_) for at, id_ in zip(moments, ids, strict=True) if at is not None]
        since, until = _moments(filter_)
        return sorted(
            (
                place
                for place in places
                if (after is None or place < after)
                and (since is None or place[0] >= since)
                and (until is None or place[0] < until)
            ),
            reverse=True,
        )

    def _glances(self, filter_: Filter, places: Sequence[Place]) -> list[Glance | None]:
        rows = self._run("glance", ids=[id_ for _, id_ in places], tag=filter_.tag)
        return [
            _glance(row, filter_.tag, created)
            for row, (created, _) in zip(rows, places, strict=True)
        ]


def _falling(walk: Iterator[Place]) -> Iterator[Place]:
    """Leave out what comes again because it moved from one index to another meanwhile."""
    last: Place | None = None
    for place in walk:
        if last is None or place < last:
            yield place
            last = place


def _asked(filter_: Filter) -> frozenset[str]:
    """Return the fields that a walk by creation does not settle by itself."""
    fields = ("states", "reason", "tag", "recipient", "producer")
    return frozenset(name for name in fields if getattr(filter_, name) not in (None, ()))


def _places(flat: list[bytes]) -> list[Place]:
    pairs = zip(flat[::2], flat[1::2], strict=True)
    return [(float(created), id_.decode()) for id_, created in pairs]


def _glance(row: list[Any], tag: str | None, created: float) -> Glance | None:
    state, reason, to, first = (text.decode("utf-8", "ignore") for text in row[:4])
    if not state:
        return None
    numbers = tuple(f"+{digits}" for digits in to.split(","))
    producer = actor_of(first.split(" ")[1])[:LONGEST_PRODUCER] if first else ""
    tags = (tag,) if tag is not None and row[4] else ()
    return Glance(State(state), reason or None, numbers, producer, tags, created)


def _may_hold(kind: str, filter_: Filter) -> bool:
    state, _, reason = kind.partition(":")
    return (not filter_.states or state in filter_.states) and filter_.reason in {None, reason}


def _ranges(filter_: Filter) -> list[Range]:
    recipient = filter_.recipient
    return ranges(recipient) if recipient and len(recipient) >= FEWEST_DIGITS else []


def place_text(created: float, id_: str) -> str:
    """Return a place as the operations take it (lua/lib/pages.lua)."""
    return f"{created:015.0f}{id_}"


def _moments(filter_: Filter) -> tuple[float | None, float | None]:
    """Return since and until, in ms since the epoch."""
    since, until = (
        None if moment is None else moment.timestamp() * 1000
        for moment in (filter_.since, filter_.until)
    )
    return since, until


def _bounds(since: float | None, until: float | None, after: Place | None) -> tuple[str, str]:
    """Return from which place on ('': all) and below which ('': all) a walk goes."""
    ends = [f"{math.ceil(until):015}"] if until is not None else []
    ends += [place_text(*after)] if after is not None else []
    return "" if since is None else f"{math.ceil(since):015}", min(ends, default="")
