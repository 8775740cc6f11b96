"""What a supervisor is told of the processes that it has started."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dispatcher.model.process import Role
from dispatcher.values.steady_clock import since_boot
from workers.health.folder import Folder
from workers.health.local_heartbeat import HANGS_AFTER, LocalHeartbeat
from workers.health.watched import hung

PID = os.getpid()


@pytest.fixture(autouse=True)
def _here(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(folder.path))


def heartbeat(*, ago: float = 0, stuck: str = "") -> LocalHeartbeat:
    return LocalHeartbeat(Role.WORKER, "worker", PID, since_boot() - ago, ready=True, stuck=stuck)


def test_one_that_is_silent_or_stands_still_is_told_with_the_reason(folder: Folder) -> None:
    folder.write(heartbeat(ago=HANGS_AFTER + 1))
    assert hung(PID) == "has been silent for 61 s"
    folder.write(heartbeat(stuck="has not looked for jobs, for 3 min"))
    assert hung(PID) == "has not looked for jobs, for 3 min"


def test_one_that_is_well_or_has_told_nothing_yet_is_left_alone(folder: Folder) -> None:
    assert hung(PID) == ""
    folder.write(heartbeat())
    assert hung(PID) == hung(os.getppid()) == ""


def test_a_folder_that_is_not_ours_ends_nobody(folder: Folder, tmp_path: Path) -> None:
    folder.write(heartbeat(stuck="made up"))
    folder.path.chmod(0o777)
    assert hung(PID) == ""
