"""How tests are spread over the workers of pytest-xdist.

A file's tests stay together, since they share what their fixtures start. What takes long goes
first, or it would keep one worker busy when the others are done: whole stacks in a few lanes, so
that not too many of them run at once and are late, and then the files of slow tests, each test by
itself. All this follows from a test's id, which is all that the scheduler knows of it.
"""

from __future__ import annotations

import os

from xdist.scheduler import LoadScopeScheduling

CORES = os.cpu_count() or 1
LANES = CORES + 1
"""How many tests with a stack of their own run at once: more would be late at times. Such a test
waits for most of its time."""
WORKERS = 3 * CORES
"""Tests wait for two thirds of their time: with two for each core, a quarter of it was idle."""
OWN_STACK = (
    "tests/e2e/test_e2e_when_processes_die.py",
    "tests/e2e/test_e2e_credit.py",
    "tests/e2e/test_e2e_callbacks.py",
    "tests/e2e/test_e2e_shared_broker.py",
    "tests/e2e/test_e2e_when_redis_dies.py",
    "tests/e2e/test_e2e_when_it_ends.py",
    "tests/chaos/test_chaos_mayhem.py",
    "tests/chaos/test_chaos_machines.py",
    "tests/e2e/test_e2e_alert_chains.py",
    "tests/e2e/test_e2e_rabbitmq.py",
    "tests/e2e/test_e2e_alertmanager.py",
    "tests/console/test_console_browser.py",
    "tests/console/test_console_looks.py",
    "tests/chaos/test_chaos_failover.py",
    "tests/chaos/test_chaos_points.py",
    "tests/e2e/test_e2e_tracing.py",
    "tests/e2e/test_e2e_redis_places.py",
    "tests/benchmarks/test_counts.py",
)
"""The longest first: dealt out to the lanes there and back, so that each takes about as long."""
SHARED_STACK = "tests/e2e/"
SHARED_STORE = "tests/migration/"
SLOW = (
    "tests/gateway/test_api_fuzz.py",
    "tests/gateway/test_gateway_callbacks.py",
    "tests/gateway/test_gateway_process.py",
    "tests/processes/test_endings.py",
    "tests/processes/test_hostile_names.py",
    "tests/provider/test_provider_contract.py",
    "tests/store/test_alerts_properties.py",
    "tests/store/test_bulk_actions_properties.py",
    "tests/store/test_limiter_properties.py",
    "tests/store/test_store_properties.py",
    "tests/webhooks/test_webhooks_processes.py",
)


def place(test: str) -> tuple[int, str]:
    """Return when it is a test's turn, and the name of those that it stays together with."""
    file = test.partition("::")[0]
    if file in OWN_STACK:
        return 0, f"lane {_lane(OWN_STACK.index(file)) + 1}"
    if file.startswith(SHARED_STACK):
        return 0, SHARED_STACK
    if file.startswith(SHARED_STORE):
        return 1, SHARED_STORE
    return (1, test) if file in SLOW else (2, file)


def _lane(turn: int) -> int:
    there, back = turn % (2 * LANES), 2 * LANES - 1 - turn % (2 * LANES)
    return min(there, back)


class Spread(LoadScopeScheduling):
    """xdist's own scheduler of groups, with our groups."""

    def _split_scope(self, nodeid: str) -> str:
        return place(nodeid)[1]
