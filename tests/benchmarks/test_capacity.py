"""The page on capacity says what follows from the figures that are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.capacity import BATCH, Costs, cores, simulated, tables
from benchmarks.results import REFERENCE

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/capacity.md"
COSTS = Costs(worker=900.0, gateway=300.0, redis=450.0, memory=700.0)


def test_the_page_has_the_tables_that_follow_from_the_reference() -> None:
    """After a new reference: `python -m benchmarks.capacity` prints them."""
    page = PAGE.read_text()
    for table in tables(Costs.read(REFERENCE)):
        assert table.text() in page


def test_cores_are_planned_with_room() -> None:
    assert cores(600_000) == 1
    assert cores(600_001) == 2


def test_one_worker_does_what_it_and_redis_take_one_after_another() -> None:
    rate, busy = simulated(COSTS, 1, 2_000 * BATCH)
    assert rate == pytest.approx(1e6 / (COSTS.worker + COSTS.redis), rel=0.05)
    assert busy == pytest.approx(COSTS.redis / (COSTS.worker + COSTS.redis), rel=0.05)


def test_many_workers_do_no_more_than_redis_can() -> None:
    rate, busy = simulated(COSTS, 32, 2_000 * BATCH)
    assert rate == pytest.approx(1e6 / COSTS.redis, rel=0.05)
    assert busy > 0.98
