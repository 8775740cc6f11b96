"""What a job takes of Redis and the provider over its whole life, counted, without a clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from benchmarks.arrivals import provider
from benchmarks.checkout import HERE
from benchmarks.contestants import stack
from benchmarks.life import OPERATIONS, lived
from benchmarks.monitor import Commands, counted
from benchmarks.stand import PLAYED

JOBS = 200
THREADS = 4
UPKEEP = {
    "/0.vd.celeryev/worker.heartbeat",
    "check_schema",
    "check_writable",
    "needed_replicas",
    "note_stoppage",
    "oldest_waiting",
    "read_together",
    "take_due_alerts",
    "{vd}:processes",
}
"""What processes ask for on their own, as often as time passes: none of it is a job's."""


@dataclass(frozen=True)
class Life:
    """What all of the jobs took."""

    commands: Commands
    connections: int
    calls: int


@pytest.fixture(scope="module")
def life() -> Iterator[Life]:
    roles = ("dial", "gateway")
    with (
        provider(reports=True) as asked,
        stack(HERE, asked, THREADS, roles=roles, what=PLAYED) as side,
    ):
        lived(side, asked, JOBS // 4)  # what is asked for once, when the first jobs come
        calls, opened = asked.counts()
        with counted(side.redis.url) as commands:
            lived(side, asked, JOBS)
        ended, connections = asked.counts()
        yield Life(commands.without(UPKEEP), connections - opened, ended - calls)


def test_every_job_was_called_once(life: Life) -> None:
    assert life.calls == JOBS


@pytest.mark.parametrize(
    ("what", "most"),
    [("operations", 4.8), ("clients", 9.0), ("inside", 118.0), ("messages", 0.6)],
)
def test_what_redis_is_asked_for_a_job_stays_bounded(life: Life, what: str, most: float) -> None:
    """From enqueueing by batch to the end by callback, with messages and all.

    How many jobs are taken and settled together depends on how quick the machine is: one after
    another would be some six operations for each.
    """
    commands = life.commands
    found = {
        "operations": commands.of(*OPERATIONS),
        "clients": commands.asked.total(),
        "inside": commands.inside.total(),
        "messages": commands.messages(),
    }
    assert found[what] / JOBS <= most, (found, commands.asked.most_common(20))


def test_connections_to_the_provider_are_kept(life: Life) -> None:
    """At most one for each thread, however many calls."""
    assert life.connections <= THREADS + 1
