"""What each process of a running `up` has in its environment, by the system's own books."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.e2e_stack import FLOWER_AUTH, TOKEN, WEBHOOK_SECRET, Stage, processes_of

SECRETS = {"token": TOKEN, "flower": FLOWER_AUTH[1], "webhooks": WEBHOOK_SECRET}
KNOWN = {
    " up ": {"token", "flower", "webhooks", "key"},  # it starts them all
    "workers.run dial": {"token", "key"},
    "workers.run call-task": set(),
    "workers.run webhooks": {"webhooks"},
    "workers.run beat": set(),
    "workers.run gateway": {"key"},
    "workers.run flower": {"flower"},
    "process_reaper": set(),
    "redis": set(),
    "valkey": set(),
}


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="this system has no /proc")
def test_no_process_has_the_secrets_of_another_role(stage: Stage) -> None:
    """The secret key is one that `up` has made; its own environment is what it was started with."""
    key = (stage.up.folder / ".voice-dispatcher" / "secret_key").read_text().strip()
    found = {line: known_to(pid, {**SECRETS, "key": key}) for pid, line in processes(stage).items()}
    kinds = {line: kind_of(line) for line in found}
    assert {kind for kind in kinds.values() if "workers.run" in kind} == {
        kind for kind in KNOWN if "workers.run" in kind
    }
    assert {line: kinds[line] for line in found if not found[line] <= KNOWN[kinds[line]]} == {}
    assert found[next(line for line in found if "workers.run dial" in line)] == {"token", "key"}
    assert found[next(line for line in found if "workers.run flower" in line)] == {"flower"}


def processes(stage: Stage) -> dict[int, str]:
    return processes_of(stage.up.folder)


def kind_of(line: str) -> str:
    return next(kind for kind in KNOWN if kind in f"{line} ")


def known_to(pid: int, secrets: dict[str, str]) -> set[str]:
    environment = Path(f"/proc/{pid}/environ").read_text()
    return {name for name, secret in secrets.items() if secret in environment}
