"""What a job costs in Redis' memory with its indexes, finished and waiting, on each server here."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from benchmarks.figures import Column, Table
from benchmarks.taking import NO_LIMIT, settle, taken
from dispatcher.model.call import CallRef, CallReport
from dispatcher.model.outcome import Outcome
from dispatcher.model.request import JobRequest
from dispatcher.policy import Policy, after_placing, after_report
from dispatcher.store import Store
from workers.devstack.embedded_server import EmbeddedServer
from workers.devstack.redis_server import find_servers

BATCH = 1000
MOST, MOST_WAITING = 700, 650
"""Bytes that a job may cost, finished and waiting, where there are a million."""


def run(*, quick: bool) -> Iterator[Table]:
    """Fill each server with jobs."""
    jobs, waiting = (100_000, 20_000) if quick else (1_000_000, 100_000)
    about = f"{jobs:,} finished playback jobs with tag, key and timeline, then {waiting:,} waiting"
    table = Table(about, [Column("finished", "B"), Column("waiting", "B")])
    for server in find_servers():
        with filled(server) as store:
            found = bytes_each(store, jobs, waiting)
            facts = store.server.facts()
        table.add(f"{server.name} {facts.version}", *found)
        # With few jobs, what they share (places of calls and numbers) weighs more on each.
        within = found[0] <= MOST and found[1] <= MOST_WAITING
        assert quick or within, f"{found} is more than {MOST, MOST_WAITING}"
    yield table


@contextmanager
def filled(server: Path) -> Iterator[Store]:
    """Run a server with a store that has everything in it but jobs."""
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedServer(Path(folder, "redis"), server=server) as redis,
    ):
        store = Store.from_url(redis.url)
        store.limiter.publish(NO_LIMIT)
        _finish([_request(n) for n in range(10_000_000, 10_000_010)], store)
        yield store


def bytes_each(store: Store, jobs: int, waiting: int) -> tuple[float, float]:
    """Return what a finished job takes of so many, and then a waiting one."""
    before = _memory(store)
    for start in range(0, jobs, BATCH):
        _finish([_request(n) for n in range(start, start + BATCH)], store)
    finished = _memory(store)
    for start in range(20_000_000, 20_000_000 + waiting, BATCH):
        store.jobs.enqueue_many([_request(n) for n in range(start, start + BATCH)])
    return (finished - before) / jobs, (_memory(store) - finished) / waiting


def _request(n: int) -> JobRequest:
    # Not validated: this measures Redis' memory, not enqueueing.
    return JobRequest.model_construct(
        recipient=f"+8180{n % 100_000_000:08d}",
        play=f"http://media.example.com/reminders/2026/campaign-{n % 50}.mp3",
        caller="+815012345678",
        tags=(f"campaign:{n % 50}",),
        key=f"reminder-{n}",
    )


def _finish(requests: Sequence[JobRequest], store: Store) -> None:
    """Take jobs the whole way."""
    ids = [outcome.id for outcome in store.jobs.enqueue_many(requests)]
    policy = Policy()
    placed = after_placing(CallRef(("",)), policy)
    report = CallReport(Outcome.ANSWERED, "ANSWERED", cost=Decimal("12.5"), duration=23)
    ended = after_report(report, store.jobs.get(ids[0]), policy)
    assert ended is not None
    for claims in taken(store, len(ids)):
        settle(store, claims, placed)
        settle(store, claims, ended)


def _memory(store: Store) -> int:
    return store.server.facts().memory
