"""When a process should be started again, and when it can do its work."""

from __future__ import annotations

from dataclasses import replace

from dispatcher.model.process import Role
from workers.health.check import troubles
from workers.health.local_heartbeat import HANGS_AFTER, LocalHeartbeat, not_ready, unhealthy

WORKER = LocalHeartbeat(Role.WORKER, "worker-dial", 7, at=100, ready=True)
AWAY = replace(WORKER, unreached="Redis cannot be reached")
STUCK = replace(WORKER, stuck="has not looked for jobs, for 3 min")


def test_one_that_tells_of_itself_in_time_is_well() -> None:
    assert unhealthy(WORKER, 100 + HANGS_AFTER) == ""
    assert not_ready(WORKER, 100) == ""


def test_one_that_is_silent_for_long_should_start_again() -> None:
    assert unhealthy(WORKER, 101 + HANGS_AFTER) == "has been silent for 61 s"


def test_a_redis_that_is_away_is_no_reason_to_start_again_but_nobody_is_ready() -> None:
    assert unhealthy(AWAY, 100) == ""
    assert not_ready(AWAY, 100) == "Redis cannot be reached"


def test_one_that_stands_still_is_neither_well_nor_ready() -> None:
    assert unhealthy(STUCK, 100) == not_ready(STUCK, 100) == "has not looked for jobs, for 3 min"


def test_one_that_has_only_started_is_well_and_not_ready() -> None:
    starting = replace(WORKER, ready=False)
    assert unhealthy(starting, 100) == ""
    assert not_ready(starting, 100) == "has not begun its work yet"


def test_a_role_without_a_process_is_missed_and_others_are_not() -> None:
    found = troubles([WORKER, STUCK], [Role.WORKER, Role.CALL_TASK], unhealthy, 100)
    assert found == [
        "no call task runs here",
        "worker worker-dial (process 7) has not looked for jobs, for 3 min",
    ]
