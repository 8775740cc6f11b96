"""What `voice-dispatcher worker` passes on to each of its processes, by the system's own books."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dispatcher.sandbox import SandboxOptions
from dispatcher.values.webhook_secrets import secret_from_key
from support.e2e_stack import VOICE_DISPATCHER, environment, processes_of
from support.polling import eventually
from workers.devstack.embedded_server import EmbeddedServer

KEY = "a-key-that-only-some-may-know"
TOKEN, FLOWER = "t0kenOfTheProvider", "w0rdOfFlower"
SECRETS = {"key": KEY, "token": TOKEN, "flower": FLOWER, "webhooks": secret_from_key(KEY)}
KNOWN = {"dial": {"key", "token"}, "webhooks": {"webhooks"}, "call-task": set()}
STARTS_WITHIN = 120.0


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="this system has no /proc")
def test_each_process_of_a_worker_gets_the_secrets_of_its_role(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    """One that delivers webhooks signs with what follows from the key, and has not got the key."""
    settings = {
        "DISPATCHER_REDIS_URL": server.url,
        "DISPATCHER_NAMESPACE": "secrets",
        "DISPATCHER_SECRET_KEY": KEY,
        "DISPATCHER_FLOWER_AUTH": f"me:{FLOWER}",
        "XOXZO_API_SID": SandboxOptions().sid,
        "XOXZO_API_AUTH_TOKEN": TOKEN,
    }
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(
            [VOICE_DISPATCHER, "worker"],
            cwd=tmp_path,
            env=environment(tmp_path, **settings),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        found = eventually(
            lambda: _roles(tmp_path), "three processes", STARTS_WITHIN, (tmp_path / "log").read_text
        )
        assert found == KNOWN
    finally:
        worker.terminate()
        worker.wait(180)


def _roles(home: Path) -> dict[str, set[str]]:
    """Return what each process of a role knows; nothing until all of them are there."""
    lines = processes_of(home).items()
    found = {
        role: _known_to(pid)
        for pid, line in lines
        for role in KNOWN
        if f"-m workers.run {role}" in line
    }
    return found if found.keys() == KNOWN.keys() else {}


def _known_to(pid: int) -> set[str]:
    environment = Path(f"/proc/{pid}/environ").read_text()
    return {name for name, secret in SECRETS.items() if secret in environment}
