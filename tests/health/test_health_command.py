"""`voice-dispatcher health`, as health checks call it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

from dispatcher.model.process import Role
from dispatcher.values.steady_clock import since_boot
from support.cli_shell import Shell
from workers.health.command import Named
from workers.health.folder import Folder
from workers.health.local_heartbeat import HANGS_AFTER, LocalHeartbeat

HEAVY = {"redis", "celery", "kombu", "requests", "rich", "phonenumbers", "config", "asyncio"}
RUN = """
import sys
from dispatcher.cli import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


def heartbeat(**changes: object) -> LocalHeartbeat:
    told = LocalHeartbeat(Role.WORKER, "worker-dial", os.getpid(), at=since_boot(), ready=True)
    return replace(told, **changes)  # type: ignore[arg-type]


def test_one_that_is_well_is_exit_code_0(shell: Shell, folder: Folder) -> None:
    folder.write(heartbeat())
    for arguments in (["health"], ["health", "worker"], ["health", "--ready"]):
        ran = shell(*arguments)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out == f"worker worker-dial (process {os.getpid()}): well\n"


def test_nobody_there_is_exit_code_1(shell: Shell, folder: Folder) -> None:
    ran = shell("health")
    assert ran.code == 1
    assert ran.complaint == f"no process of the dispatcher runs here: no heartbeat in {folder.path}"
    assert shell("health", "--folder", "/nowhere").code == 1


def test_a_role_that_is_missing_is_named(shell: Shell, folder: Folder) -> None:
    folder.write(heartbeat())
    ran = shell("health", "worker", "call-task")
    assert (ran.code, ran.complaint) == (1, "no call task runs here")
    assert shell("health", "beat").complaint == "no beat runs here"


def test_one_that_hangs_is_exit_code_1_and_says_for_how_long(shell: Shell, folder: Folder) -> None:
    folder.write(heartbeat(at=since_boot() - HANGS_AFTER - 100))
    ran = shell("health", "worker")
    assert ran.code == 1
    assert "worker worker-dial" in ran.complaint
    assert "has been silent for 3 min" in ran.complaint


def test_a_redis_that_is_away_fails_only_who_must_be_ready(shell: Shell, folder: Folder) -> None:
    folder.write(heartbeat(unreached="Redis cannot be reached"))
    assert shell("health", "worker").code == 0
    ran = shell("health", "worker", "--ready")
    assert ran.code == 1
    assert ran.complaint.endswith("Redis cannot be reached")


def test_programs_get_json(shell: Shell, folder: Folder) -> None:
    folder.write(heartbeat(stuck="has not looked for jobs, for 3 min"))
    ran = shell("health", "--json")
    (told,) = ran.json
    assert ran.code == 1
    assert told["role"] == "worker"
    assert told["trouble"] == "has not looked for jobs, for 3 min"
    assert 0 <= told["silent"] < HANGS_AFTER


def test_all_roles_have_a_name() -> None:
    assert [role.name for role in Named] == [role.name for role in Role]


def test_a_role_that_there_is_not_is_wrong_usage(shell: Shell) -> None:
    assert shell("health", "pilot").code == 2


def test_it_is_light(shell: Shell, folder: Folder) -> None:
    """There is a check in every half minute: it loads neither Redis, Celery nor the settings."""
    folder.write(heartbeat())
    done = subprocess.run(
        [sys.executable, "-c", RUN, "health", "worker"],
        cwd=shell.folder,
        env=shell.environment({"DISPATCHER_REDIS_URL": "redis://127.0.0.1:1/0"}),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stderr.split())
    assert "workers.health.command" in loaded
    assert loaded & HEAVY == set()
