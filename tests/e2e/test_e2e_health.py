"""Each process of a running stack tells its own machine that it is at work."""

from __future__ import annotations

from subprocess import CompletedProcess

from support.e2e_stack import Stage
from support.forked import VOICE_DISPATCHER, run
from support.polling import eventually

ROLES = ["worker", "call-task", "webhooks", "beat", "gateway", "flower"]


def test_all_roles_are_ready(stage: Stage) -> None:
    """Within a second or two of their first answer."""

    def told() -> CompletedProcess[str]:
        argv = [VOICE_DISPATCHER, "health", *ROLES, "--ready"]
        return run(argv, cwd=stage.up.folder, env=stage.up.environment, timeout=180)

    eventually(lambda: told().returncode == 0, "all are ready", more=lambda: told().stdout)
    assert len(told().stdout.splitlines()) == len(ROLES)
