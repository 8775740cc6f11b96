"""Walking the indexes: the smallest that serves, newest first, in chunks.

A place (creation, id) says how far a walk has come, so that jobs may come and move meanwhile.
What the index cannot tell is told by a few fields of each record.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from dispatcher.model.filters import Filter
from dispatcher.model.job import LONGEST_PRODUCER
from dispatcher.model.states import State
from dispatcher.store.connection import Repository
from dispatcher.store.errors import plain_errors
from dispatcher.store.schema import Field

PAGE = 200
"""Index entries read in one round trip."""
FEW = 1000
"""Jobs of a recipient that are put in order here; more are found by another index."""

Place = tuple[float, str]
"""Where a job stands in a walk: created (ms since the epoch), id."""


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


_GLANCE = (Field.STATE, Field.REASON, Field.TO, "t0")


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

    def kinds(self) -> list[str]:
        """Return every state, and every `<state>:<reason>` that was ever used."""
        with plain_errors():
            members: Any = self._redis.smembers(self._key("states_with_reason"))
        return sorted({*State, *(member.decode() for member in members)})

    def _smallest(self, filter_: Filter, after: Place | None, size: int) -> Walk:
        """Return the walk through the index with the fewest entries, and what it knows."""
        states = [self._key("by_state", kind) for kind in self.kinds() if _may_hold(kind, filter_)]
        tag = [self._key("by_tag", filter_.tag)] if filter_.tag is not None else []
        high, low = _bounds(filter_)
        with plain_errors():
            pipe = self._pipeline()
            for index in states + tag:
                pipe.zcount(index, low, high)
            if filter_.recipient is not None:
                pipe.zlexcount(self._key("by_recipient"), *_recipients(filter_.recipient))
            sizes = pipe.execute()
        if filter_.recipient is not None and sizes[-1] <= FEW:
            return frozenset({"recipient"}), iter(self._of_recipient(filter_, after))
        if tag and sizes[len(states)] <= sum(sizes[: len(states)]):
            return frozenset({"tag"}), self._newest(tag[0], filter_, after, size)
        lines = [
            self._newest(index, filter_, after, size, begun)
            for index, begun in zip(states, self._begin(states, filter_, after, size), strict=True)
        ]
        return frozenset({"states", "reason"}), heapq.merge(*lines, reverse=True)

    def _begin(
        self, indexes: Sequence[str], filter_: Filter, after: Place | None, size: int
    ) -> list[list[Place]]:
        """Return where each walk begins, read in one step: a job that goes from one index to
        another meanwhile would be found in neither.
        """
        high, low = _bounds_after(filter_, after)
        limit = ("WITHSCORES", "LIMIT", "0", str(size))
        found = self._read_together(
            *(("ZREVRANGEBYSCORE", index, high, low, *limit) for index in indexes)
        )
        return [
            [
                (float(score), id_.decode())
                for id_, score in zip(entries[::2], entries[1::2], strict=True)
            ]
            for entries in found
        ]

    def _of_recipient(self, filter_: Filter, after: Place | None) -> list[Place]:
        with plain_errors():
            entries: Any = self._redis.zrangebylex(
                self._key("by_recipient"), *_recipients(filter_.recipient or "")
            )
            # A conference stands there once for each number.
            ids = list({entry.decode().partition(":")[2] for entry in entries})
            pipe = self._pipeline()
            for id_ in ids:
                pipe.hget(self._key("job", id_), Field.CREATED)
            moments = pipe.execute()
        places = [(float(at), id_) for at, id_ in zip(moments, ids, strict=True) if at is not None]
        since, until = filter_.since, filter_.until
        return sorted(
            (
                place
                for place in places
                if (after is None or place < after)
                and (since is None or place[0] >= since.timestamp() * 1000)
                and (until is None or place[0] < until.timestamp() * 1000)
            ),
            reverse=True,
        )

    def _newest(
        self,
        index: str,
        filter_: Filter,
        after: Place | None,
        size: int,
        begun: list[Place] | None = None,
    ) -> Iterator[Place]:
        """Yield the places of an index after one, newest first, some at a time; `begun` are the
        first ones, where they are known.
        """
        high, low = _bounds_after(filter_, after)
        offset = 0
        while True:
            places = self._page(index, high, low, offset, size) if begun is None else begun
            begun = None
            for place in places:
                if after is None or place < after:
                    yield place
                    after = place
            if len(places) < size:
                return
            # On from the last one's moment; where many have the same, from among them.
            oldest = f"{places[-1][0]:.0f}"
            high, offset = oldest, offset + size if oldest == high else 0

    def _page(self, index: str, high: str, low: str, offset: int, size: int) -> list[Place]:
        with plain_errors():
            entries: Any = self._redis.zrevrangebyscore(
                index, high, low, start=offset, num=size, withscores=True
            )
        return [(score, id_.decode()) for id_, score in entries]

    def _glances(self, filter_: Filter, places: Sequence[Place]) -> list[Glance | None]:
        ids = [id_ for _, id_ in places]
        with plain_errors():
            pipe = self._pipeline()
            for id_ in ids:
                pipe.hmget(self._key("job", id_), *_GLANCE)
            if filter_.tag is not None:
                pipe.zmscore(self._key("by_tag", filter_.tag), ids)
            rows = pipe.execute()
        tagged = rows.pop() if filter_.tag is not None else [None] * len(ids)
        return [
            _glance(row, (filter_.tag,) if score is not None and filter_.tag else (), created)
            for row, score, (created, _) in zip(rows, tagged, places, strict=True)
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


def _glance(row: list[bytes | None], tags: tuple[str, ...], created: float) -> Glance | None:
    state, reason, to, first = ((text or b"").decode("utf-8", "ignore") for text in row)
    if not state:
        return None
    numbers = tuple(f"+{digits}" for digits in to.split(","))
    producer = first.split(" ")[2][:LONGEST_PRODUCER] if first else ""
    return Glance(State(state), reason or None, numbers, producer, tags, created)


def _may_hold(kind: str, filter_: Filter) -> bool:
    state, _, reason = kind.partition(":")
    return (not filter_.states or state in filter_.states) and filter_.reason in {None, reason}


def _recipients(recipient: str) -> tuple[bytes, bytes]:
    digits = recipient.removeprefix("+")[::-1]
    low = (f"[{digits}:" if recipient.startswith("+") else f"[{digits}").encode()
    return low, low + b"\xff"


def _lower(high: str, created: float) -> str:
    """Return the lower of two bounds; `high` as _bounds writes it."""
    if high == "+inf" or created < float(high.removeprefix("(")):
        return f"{created:.0f}"
    return high


def _bounds(filter_: Filter) -> tuple[str, str]:
    """Return the highest and the lowest moment of creation, as Redis takes them."""
    high = "+inf" if filter_.until is None else f"({filter_.until.timestamp() * 1000:.3f}"
    low = "-inf" if filter_.since is None else f"{filter_.since.timestamp() * 1000:.3f}"
    return high, low


def _bounds_after(filter_: Filter, after: Place | None) -> tuple[str, str]:
    """Return the same where a walk goes on after a place."""
    high, low = _bounds(filter_)
    return (high if after is None else _lower(high, after[0])), low
