"""The master of Redis dies while its replica is behind: who was called, by the provider's books."""

from __future__ import annotations

from pathlib import Path

from support.failover import failover

JOBS = 300


def test_a_failover_calls_nobody_twice_and_leaves_nobody_out(tmp_path: Path) -> None:
    with failover(tmp_path) as stack:
        stack.enqueue(JOBS)
        stack.wait_for_calls(60)
        stack.kill_master(lag=3)
        found = stack.tally(within=120)
        told = f"{found}\n{stack.stage.told()}"
    assert (found.twice, found.without, found.lost, found.open) == (0, 0, 0, 0), told
    assert found.ends == {"completed": JOBS}, told
