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
from dispatcher.store.redis_url import plain_errors
from dispatcher.store.store import Store

PAGE = 200
"""Index entries read in one round trip."""
FEW = 1000
"""Jobs of a recipient that are put in order here; more are found by another index."""

Place = tuple[float, str]
"""Where a job stands in a walk: created (ms since the epoch), id."""


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


def chunks(
    store: Store, wanted: Filter, after: Place | None = None, size: int = PAGE
) -> Iterator[Chunk]:
    """Yield what stands after a place in the smallest index that has all jobs that are meant."""
    known, walk = _smallest(store, wanted, after, size)
    ordered = _falling(walk)
    while places := list(islice(ordered, size)):
        yield Chunk(places, known)


def _falling(walk: Iterator[Place]) -> Iterator[Place]:
    """Leave out what comes again because it moved from one index to another meanwhile."""
    last: Place | None = None
    for place in walk:
        if last is None or place < last:
            yield place
            last = place


def sift(store: Store, wanted: Filter, chunk: Chunk) -> list[Place]:
    """Return the places of the jobs that are meant."""
    if _asked(wanted) <= chunk.known:
        return chunk.places
    glances = _glances(store, wanted, chunk.places)
    pairs = zip(chunk.places, glances, strict=True)
    return [place for place, glance in pairs if glance is not None and wanted.matches(glance)]


def kinds(store: Store) -> list[str]:
    """Return every `<state>[:<reason>]` that was ever used."""
    with plain_errors():
        members: Any = store.redis.smembers(store.key("reasons"))
    return sorted(member.decode() for member in members)


def _asked(wanted: Filter) -> frozenset[str]:
    """Return the fields that a walk by creation does not settle by itself."""
    fields = ("states", "reason", "tag", "recipient", "producer")
    return frozenset(name for name in fields if getattr(wanted, name) not in (None, ()))


def _glances(store: Store, wanted: Filter, places: Sequence[Place]) -> list[Glance | None]:
    ids = [id_ for _, id_ in places]
    with plain_errors():
        pipe = store.redis.pipeline(transaction=False)
        for id_ in ids:
            pipe.hmget(store.key("job", id_), "state", "reason", "to", "t0")
        if wanted.tag is not None:
            pipe.zmscore(store.key("tag", wanted.tag), ids)
        rows = pipe.execute()
    tagged = rows.pop() if wanted.tag is not None else [None] * len(ids)
    return [
        _glance(row, (wanted.tag,) if score is not None and wanted.tag else (), created)
        for row, score, (created, _) in zip(rows, tagged, places, strict=True)
    ]


def _glance(row: list[bytes | None], tags: tuple[str, ...], created: float) -> Glance | None:
    state, reason, to, first = ((text or b"").decode("utf-8", "ignore") for text in row)
    if not state:
        return None
    numbers = tuple(f"+{digits}" for digits in to.split(","))
    producer = first.split(" ")[2][:LONGEST_PRODUCER] if first else ""
    return Glance(State(state), reason or None, numbers, producer, tags, created)


Walk = tuple[frozenset[str], Iterator[Place]]


def _smallest(store: Store, wanted: Filter, after: Place | None, size: int) -> Walk:
    """Return the walk through the index with the fewest entries, and what it knows."""
    states = [store.key("idx", kind) for kind in kinds(store) if _may_hold(kind, wanted)]
    tag = [store.key("tag", wanted.tag)] if wanted.tag is not None else []
    high, low = _bounds(wanted)
    with plain_errors():
        pipe = store.redis.pipeline(transaction=False)
        for index in states + tag:
            pipe.zcount(index, low, high)
        if wanted.recipient is not None:
            pipe.zlexcount(store.key("recipients"), *_recipients(wanted.recipient))
        sizes = pipe.execute()
    if wanted.recipient is not None and sizes[-1] <= FEW:
        return frozenset({"recipient"}), iter(_of_recipient(store, wanted, after))
    if tag and sizes[len(states)] <= sum(sizes[: len(states)]):
        return frozenset({"tag"}), _newest(store, tag[0], wanted, after, size)
    lines = [_newest(store, index, wanted, after, size) for index in states]
    return frozenset({"states", "reason"}), heapq.merge(*lines, reverse=True)


def _may_hold(kind: str, wanted: Filter) -> bool:
    state, _, reason = kind.partition(":")
    return (not wanted.states or state in wanted.states) and wanted.reason in {None, reason}


def _recipients(recipient: str) -> tuple[bytes, bytes]:
    digits = recipient.removeprefix("+")[::-1]
    low = (f"[{digits}:" if recipient.startswith("+") else f"[{digits}").encode()
    return low, low + b"\xff"


def _of_recipient(store: Store, wanted: Filter, after: Place | None) -> list[Place]:
    with plain_errors():
        entries: Any = store.redis.zrangebylex(
            store.key("recipients"), *_recipients(wanted.recipient or "")
        )
        # A conference stands there once for each number.
        ids = list({entry.decode().partition(":")[2] for entry in entries})
        pipe = store.redis.pipeline(transaction=False)
        for id_ in ids:
            pipe.hget(store.key("job", id_), "created")
        moments = pipe.execute()
    places = [(float(at), id_) for at, id_ in zip(moments, ids, strict=True) if at is not None]
    since, until = wanted.since, wanted.until
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
    store: Store, index: str, wanted: Filter, after: Place | None, size: int
) -> Iterator[Place]:
    """Yield the places of an index after one, newest first, some at a time."""
    high, low = _bounds(wanted)
    if after is not None:
        high = _lower(high, after[0])
    offset = 0
    while True:
        with plain_errors():
            entries: Any = store.redis.zrevrangebyscore(
                index, high, low, start=offset, num=size, withscores=True
            )
        places = [(score, id_.decode()) for id_, score in entries]
        for place in places:
            if after is None or place < after:
                yield place
                after = place
        if len(places) < size:
            return
        # On from the last one's moment; where many have the same, from among them.
        oldest = f"{places[-1][0]:.0f}"
        high, offset = oldest, offset + size if oldest == high else 0


def _lower(high: str, created: float) -> str:
    """Return the lower of two bounds; `high` as _bounds writes it."""
    if high == "+inf" or created < float(high.removeprefix("(")):
        return f"{created:.0f}"
    return high


def _bounds(wanted: Filter) -> tuple[str, str]:
    """Return the highest and the lowest moment of creation, as Redis takes them."""
    high = "+inf" if wanted.until is None else f"({wanted.until.timestamp() * 1000:.3f}"
    low = "-inf" if wanted.since is None else f"{wanted.since.timestamp() * 1000:.3f}"
    return high, low
