"""Workers and Redis killed while calls are made: who was called, by the provider's own books.

The stack and its killer are those of the tests (tests/support), with more jobs.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import Column, Figure, Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.chaos_stage import Mayhem, Stage, Verdict

FAULTS = ("--cut=0.05", "--latency=0.05")
ENDS_WITHIN = 900.0
RUNS: dict[str, dict[str, Any]] = {
    "callbacks on": {"callbacks": True, "DISPATCHER_EVIDENCE_WINDOW": "10s"},
    "callbacks off, hold": {"DISPATCHER_ON_UNCERTAIN": "hold"},
    "callbacks off, redial": {"DISPATCHER_ON_UNCERTAIN": "redial"},
    "callbacks on, Redis killed twice": {
        "callbacks": True,
        "DISPATCHER_EVIDENCE_WINDOW": "10s",
        "redis_kills": 2,
    },
    "callbacks off, hold, Redis killed twice": {
        "DISPATCHER_ON_UNCERTAIN": "hold",
        "redis_kills": 2,
    },
}


COLUMNS = (
    Column("ended"),
    Column("no call"),
    Column("called twice"),
    Column("second calls"),
    Column("maybe placed"),
    Column("killed"),
    Column("ended after", "s"),
)


def run(*, quick: bool) -> Iterator[Table]:
    """Play 2,000 jobs (200) in each way, one of two workers killed every second."""
    jobs = 200 if quick else 2000
    about = f"{jobs:,} jobs, two workers, one killed every second, 5% of answers cut"
    table = Table(about, COLUMNS)
    for name, options in RUNS.items():
        table.add(name, *_played(jobs, **options))
    yield table


def _played(jobs: int, *, redis_kills: int = 0, **stage: Any) -> list[Figure]:
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as folder,
        Stage(Path(folder), sandbox=FAULTS, **stage) as running,
    ):
        mayhem = Mayhem(running, concurrency=8, redis_kills=redis_kills)
        verdict = mayhem.run(running.enqueue(jobs), ENDS_WITHIN)
        verdict.assert_nothing_hidden()
        return [*_figures(verdict), mayhem.killed, time.monotonic() - began]


def _figures(verdict: Verdict) -> list[Figure]:
    found = verdict.summary()
    ended = ", ".join(f"{many} {how}" for how, many in found["ended"].items())
    names = ("without a call", "called twice", "calls no attempt knows")
    return [ended, *(found[name] for name in (*names, "attempts that may have been placed"))]
