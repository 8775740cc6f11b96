"""What a finished playback job costs in Redis' memory, with its indexes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from benchmarks.taking import NO_LIMIT, settle, taken
from dispatcher.model.call import CallRef, CallReport
from dispatcher.model.outcome import Outcome
from dispatcher.model.request import JobRequest
from dispatcher.policy import Policy, after_placing, after_report
from dispatcher.store import Store
from workers.devstack.embedded_server import EmbeddedServer

BATCH = 1000
MOST = 1200  # bytes: what a job may cost


def run(*, quick: bool) -> None:
    """Fill a Redis with finished jobs and print bytes for each."""
    jobs = 100_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory() as folder, EmbeddedServer(Path(folder, "redis")) as redis:
        store = Store.from_url(redis.url)
        _warm_up(store)
        before = _memory(store)
        for start in range(0, jobs, BATCH):
            _finish([_request(n) for n in range(start, start + BATCH)], store)
        each = (_memory(store) - before) / jobs
        waiting = _waiting(store)
        version = store.server.facts().version
        print(f"Redis {version}, {jobs:,} finished playback jobs, with tag and key:")
        print(f"{each:.0f} bytes for a finished job with its indexes (at most {MOST})")
        print(f"{waiting:.0f} bytes for a waiting one")
        # With few jobs, what they share (buckets of calls, tables) weighs more on each.
        assert quick or each <= MOST, f"{each:.0f} bytes is more than {MOST}"


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


def _warm_up(store: Store) -> None:
    """Load the library and set the limits, so that they do not count."""
    store.limiter.publish(NO_LIMIT)
    _finish([_request(n) for n in range(10_000_000, 10_000_010)], store)


def _waiting(store: Store) -> float:
    before = _memory(store)
    store.jobs.enqueue_many([_request(n) for n in range(20_000_000, 20_000_000 + 20 * BATCH)])
    return (_memory(store) - before) / (20 * BATCH)


def _memory(store: Store) -> int:
    return store.server.facts().memory
