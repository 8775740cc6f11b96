"""What a job takes of Redis' memory stays bounded, on each server of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.memory import bytes_each, filled
from workers.devstack.redis_server import find_servers

JOBS = 3_000


@pytest.mark.parametrize("server", find_servers(), ids=lambda server: server.name)
def test_a_job_takes_so_much_memory_and_no_more(server: Path) -> None:
    """With so few jobs each has keys for its call and its number nearly alone: some 200 bytes that
    a million jobs share (`make bench ARGS=memory`).
    """
    with filled(server) as store:
        finished, waiting = bytes_each(store, JOBS, JOBS)
    assert (finished <= 980, waiting <= 600) == (True, True), (finished, waiting)
