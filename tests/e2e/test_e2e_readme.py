"""Services in Python, written from the first pages and nothing else: each block, as it stands."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from support.doc_pages import blocks
from support.e2e_stack import ROOT, Stage

FIVE_MINUTES = "docs/start/five-minutes.md"
PRINTED = {"dispatcher": "ANSWERED\n", "celery": "[a-z2-7]{16}\n"}


@pytest.mark.parametrize(
    ("page", "library"),
    [("README.md", "dispatcher"), (FIVE_MINUTES, "dispatcher"), (FIVE_MINUTES, "celery")],
)
def test_a_service_gets_its_result(stage: Stage, page: str, library: str) -> None:
    python = blocks((ROOT / page).read_text(), "python")
    (block,) = (block for block in python if f"from {library} import" in block)
    url = stage.up.cli("url").stdout.strip()
    ran = subprocess.run(
        [sys.executable, "-c", block],
        cwd=stage.up.folder,
        env={**stage.up.environment, "REDIS_URL": url},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert re.fullmatch(PRINTED[library], ran.stdout), ran.stderr
