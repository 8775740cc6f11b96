"""What systemd is told of a service."""

from __future__ import annotations

import os
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from dispatcher.model.process import Role
from dispatcher.values.steady_clock import since_boot
from support.service_manager import ServiceManager
from workers.health.folder import Folder
from workers.health.local import Local
from workers.health.local_heartbeat import HANGS_AFTER, LocalHeartbeat
from workers.health.systemd import Notifier
from workers.health.watched import Watched


def heartbeat(role: Role = Role.WORKER, *, ready: bool = True) -> LocalHeartbeat:
    return LocalHeartbeat(role, str(role), os.getpid(), at=since_boot(), ready=ready)


def test_it_is_told_that_a_process_starts_is_ready_and_ends(
    folder: Folder, manager: ServiceManager
) -> None:
    local = Local(folder, Notifier(manager.address))
    local.tell(heartbeat(ready=False))
    assert manager.heard() == [["STATUS=", "WATCHDOG=1"]]
    local.tell(heartbeat())
    assert manager.heard() == [["STATUS=", "READY=1", "WATCHDOG=1"]]
    local.end(Role.WORKER, os.getpid())
    assert manager.heard() == [["STOPPING=1"]]
    assert folder.heartbeats() == []


def test_the_watchdog_is_left_to_run_out_for_one_that_stands_still(
    folder: Folder, manager: ServiceManager
) -> None:
    Local(folder, Notifier(manager.address)).tell(replace(heartbeat(), stuck="has sent no task"))
    assert manager.heard() == [["STATUS=has sent no task", "READY=1"]]


def test_a_service_of_several_processes_is_ready_when_all_are(
    folder: Folder, manager: ServiceManager
) -> None:
    now = iter([0.0, 0.5, 1.0, 2.0, 3.0])
    wanted = [Role.WORKER, Role.CALL_TASK]
    look = Watched(wanted, folder, Notifier(manager.address), clock=lambda: next(now))
    folder.write(heartbeat(Role.WORKER))
    look()
    look()  # too soon
    assert manager.heard() == [["STATUS=", "WATCHDOG=1"]]
    folder.write(heartbeat(Role.CALL_TASK, ready=False))
    look()
    assert manager.heard() == [["STATUS=", "WATCHDOG=1"]]
    folder.write(heartbeat(Role.CALL_TASK))
    look()
    assert manager.heard() == [["STATUS=", "READY=1", "WATCHDOG=1"]]
    folder.write(replace(heartbeat(Role.CALL_TASK), at=since_boot() - HANGS_AFTER - 1))
    look()
    (said,) = manager.heard()
    assert "has been silent for 61 s" in said[0]
    assert "WATCHDOG=1" not in said


def test_only_the_process_that_systemd_started_tells_it() -> None:
    """What it starts itself inherits nothing of it."""
    environ = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "2", "PATH": "/bin"}
    assert Notifier.taken_from(environ).wanted
    assert environ == {"PATH": "/bin"}
    assert not Notifier.taken_from(environ).wanted


def test_an_address_without_a_file_is_reached() -> None:
    manager = ServiceManager(f"@{uuid.uuid4()}")
    Notifier(manager.address).stopping()
    assert manager.heard() == [["STOPPING=1"]]
    manager.close()


def test_a_manager_that_has_gone_ends_nobody(folder: Folder) -> None:
    Local(folder, Notifier("/nowhere/notify")).tell(heartbeat())
    assert folder.heartbeats()


def test_a_folder_that_cannot_be_written_to_is_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    local = Local(Folder(tmp_path / "file"), Notifier())
    local.tell(heartbeat())
    local.tell(heartbeat())
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "`voice-dispatcher health` will not see this process" in caplog.text
