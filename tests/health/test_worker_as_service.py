"""`voice-dispatcher worker` as systemd runs it: told of credentials by files, and watched."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dispatcher.model.process import Role
from dispatcher.sandbox import SandboxOptions
from support.cli_shell import Shell
from support.e2e_stack import STARTS_WITHIN, environment, processes_of
from support.forked import VOICE_DISPATCHER, Forked
from support.polling import eventually
from support.service_manager import ServiceManager
from workers.devstack.embedded_server import EmbeddedServer
from workers.health.folder import Folder

ROLES = ["worker", "call-task", "webhooks"]


@pytest.fixture
def secrets(server: EmbeddedServer, tmp_path: Path) -> Path:
    """A folder as `LoadCredential=worker:…` makes it."""
    told = {
        "DISPATCHER_REDIS_URL": server.url,
        "XOXZO_API_SID": SandboxOptions().sid,
        "XOXZO_API_AUTH_TOKEN": "t0ken",
    }
    folder = tmp_path / "credentials"
    folder.mkdir()
    for name, value in told.items():
        (folder / f"worker_{name}").write_text(f"{value}\n")
    return folder


def test_it_is_ready_when_all_of_its_processes_are(
    folder: Folder, manager: ServiceManager, shell: Shell, secrets: Path, tmp_path: Path
) -> None:
    variables = {
        "NOTIFY_SOCKET": manager.address,
        "RUNTIME_DIRECTORY": str(folder.path),
        "CREDENTIALS_DIRECTORY": str(secrets),
        "DISPATCHER_NAMESPACE": "service",
    }
    log = tmp_path / "log"
    with log.open("wb") as out:
        worker = Forked(
            [VOICE_DISPATCHER, "worker"],
            cwd=tmp_path,
            env=environment(tmp_path, **variables),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(
            lambda: manager.has_heard("READY=1"), "it is ready", STARTS_WITHIN, log.read_text
        )
        ready = shell("health", *ROLES, "--ready")
        assert (ready.code, ready.err) == (0, ""), log.read_text()
        assert {each.role for each in folder.heartbeats()} == {
            Role.WORKER,
            Role.CALL_TASK,
            Role.WEBHOOKS,
        }
        assert manager.has_heard("WATCHDOG=1")
        _told_nobody_else(tmp_path, manager.address)
    finally:
        worker.terminate()
        assert worker.wait(180) == 0, log.read_text()
    assert folder.heartbeats() == []


def _told_nobody_else(home: Path, address: str) -> None:
    """Its own processes have not got the address."""
    own = [pid for pid, line in processes_of(home).items() if "workers.run" in line]
    assert len(own) >= len(ROLES)
    assert not [pid for pid in own if address in Path(f"/proc/{pid}/environ").read_text()]
