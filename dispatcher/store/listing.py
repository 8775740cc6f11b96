"""Finding jobs: by state, reason, tag, recipient and time, newest first, never by a full scan
where an index serves.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from dispatcher.job import Job
from dispatcher.redis_url import plain_errors
from dispatcher.states import TERMINAL, State
from dispatcher.store.store import Store

PAGE = 200
"""Index entries and records read in one round trip."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs are meant; what is left out does not matter.

    `recipient` is a whole E.164 number or its last digits; `since` and `until` bound the
    time of creation, `since` included and `until` not.
    """

    states: Sequence[State] = ()
    reason: str | None = None
    tag: str | None = None
    recipient: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def matches(self, job: Job) -> bool:
        """Whether a job is meant."""
        return (
            (not self.states or job.state in self.states)
            and self.reason in {None, job.reason or job.hold_reason}
            and (self.tag is None or self.tag in job.tags)
            and (self.recipient is None or self._calls(job))
            and (self.since is None or job.created_at >= self.since)
            and (self.until is None or job.created_at < self.until)
        )

    def _calls(self, job: Job) -> bool:
        wanted = self.recipient or ""
        if wanted.startswith("+"):
            return wanted in job.numbers
        return any(number.endswith(wanted) for number in job.numbers)


def find(store: Store, wanted: Filter) -> Iterator[Job]:
    """Yield the jobs that are meant, newest first, reading as it goes.

    Jobs found by recipient come in no order of time beyond one page of them: there are few.
    """
    ids = _ids(store, wanted)
    while page := list(islice(ids, PAGE)):
        jobs = [job for job in store.get_many(page) if job is not None and wanted.matches(job)]
        yield from sorted(jobs, key=lambda job: (job.created_at, job.id), reverse=True)


def counts(store: Store) -> dict[str, dict[str, int]]:
    """Return how many jobs there are: state -> reason ('' for none) -> count."""
    kinds = _kinds(store)
    with plain_errors():
        pipe = store.redis.pipeline(transaction=False)
        for kind in kinds:
            pipe.zcard(store.key("idx", kind))
        sizes = pipe.execute()
    table: dict[str, dict[str, int]] = {state: {} for state in State}
    for kind, size in zip(kinds, sizes, strict=True):
        state, _, reason = kind.partition(":")
        table[state][reason] = size
    return table


def ended_before(store: Store, moment: float) -> Iterator[str]:
    """Yield ids of ended jobs created before a moment (ms); they may be removed meanwhile."""
    for kind in _kinds(store):
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


def _kinds(store: Store) -> list[str]:
    with plain_errors():
        members: Any = store.redis.smembers(store.key("reasons"))
    return sorted(member.decode() for member in members)


def _ids(store: Store, wanted: Filter) -> Iterator[str]:
    if wanted.recipient is not None:
        return _by_recipient(store, wanted.recipient)
    if wanted.tag is not None:
        return (id_ for _, id_ in _newest(store, store.key("tag", wanted.tag), wanted))
    return _by_state(store, wanted)


def _by_recipient(store: Store, recipient: str) -> Iterator[str]:
    digits = recipient.removeprefix("+")[::-1]
    start = f"[{digits}:" if recipient.startswith("+") else f"[{digits}"
    low, offset = start.encode(), 0
    seen: set[str] = set()  # a conference stands there once for each number
    while True:
        with plain_errors():
            page: Any = store.redis.zrangebylex(
                store.key("recipients"), low, low + b"\xff", start=offset, num=PAGE
            )
        ids = dict.fromkeys(entry.decode().partition(":")[2] for entry in page)
        yield from (id_ for id_ in ids if id_ not in seen)
        seen.update(ids)
        if len(page) < PAGE:
            return
        offset += PAGE


def _by_state(store: Store, wanted: Filter) -> Iterator[str]:
    lines = [
        _newest(store, store.key("idx", kind), wanted)
        for kind in _kinds(store)
        if _may_hold(kind, wanted)
    ]
    return (id_ for _, id_ in heapq.merge(*lines, reverse=True))


def _may_hold(kind: str, wanted: Filter) -> bool:
    state, _, reason = kind.partition(":")
    return (not wanted.states or state in wanted.states) and wanted.reason in {None, reason}


def _newest(store: Store, index: str, wanted: Filter) -> Iterator[tuple[float, str]]:
    """Yield `(created, id)` of an index, newest first, a page at a time."""
    high, low = _bound(wanted.until, "+inf", "("), _bound(wanted.since, "-inf", "")
    offset = 0
    while True:
        with plain_errors():
            page: Any = store.redis.zrevrangebyscore(
                index, high, low, start=offset, num=PAGE, withscores=True
            )
        yield from ((score, id_.decode()) for id_, score in page)
        if len(page) < PAGE:
            return
        offset += PAGE


def _bound(moment: datetime | None, without: str, prefix: str) -> str:
    return without if moment is None else f"{prefix}{moment.timestamp() * 1000:.3f}"
