"""Services in Python, written from the README and nothing else: each block, as it stands."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from support.e2e_stack import ROOT, Stage

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


@pytest.mark.parametrize(
    ("library", "printed"), [("dispatcher", "ANSWERED\n"), ("celery", "[a-z2-7]{16}\n")]
)
def test_a_service_gets_its_result(stage: Stage, library: str, printed: str) -> None:
    (block,) = (block for block in BLOCKS if f"from {library} import" in block)
    url = stage.up.cli("url").stdout.strip()
    ran = subprocess.run(
        [sys.executable, "-c", block],
        cwd=stage.up.folder,
        env={**stage.up.environment, "REDIS_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert re.fullmatch(printed, ran.stdout), ran.stderr
