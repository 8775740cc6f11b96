"""One stack that the cheap tests share, and stacks of their own for those that break something."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
import requests

from support.e2e_stack import FLOWER_API, FLOWER_AUTH, QUICK, TOKEN, OwnSandbox, Stage, Up


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The sandbox is a process of its own, so that `up` may be stopped and started.

    What people start is started here as they do it, word for word.
    """
    folder = tmp_path_factory.mktemp("stage")
    with OwnSandbox("--ring=0.3", "--slow=2", token=TOKEN) as sandbox, requests.Session() as flower:
        settings = {**QUICK, **sandbox.account, **FLOWER_API}
        flower.auth = FLOWER_AUTH
        with Up(folder, "--no-sandbox", start=subprocess.Popen, **settings) as up:
            yield Stage(up, sandbox, flower)
