"""Each process of a running stack tells its own machine that it is at work."""

from __future__ import annotations

from support.e2e_stack import Stage
from support.forked import VOICE_DISPATCHER, run

ROLES = ["worker", "call-task", "webhooks", "beat", "gateway", "flower"]


def test_all_roles_are_ready(stage: Stage) -> None:
    done = run(
        [VOICE_DISPATCHER, "health", *ROLES, "--ready"],
        cwd=stage.up.folder,
        env=stage.up.environment,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert len(done.stdout.splitlines()) == len(ROLES)
