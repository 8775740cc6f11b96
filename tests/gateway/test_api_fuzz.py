"""The API against its own OpenAPI document: whatever is sent, nothing breaks and all is as said."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path

from dispatcher.model.api_key import Scope
from dispatcher.store import Store
from support.api_client import client
from support.gateway_process import Gateway

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SCHEMATHESIS = Path(sysconfig.get_path("scripts")) / "schemathesis"


def test_no_request_breaks_it_and_all_answers_are_as_documented(
    gateway: Gateway, store: Store, tmp_path: Path
) -> None:
    """In a process of its own, with data that is the same each time; some thousand requests."""
    key = client(gateway, store, "fuzz", *Scope).text
    ran = subprocess.run(
        [
            *(str(SCHEMATHESIS), "--config-file", str(HERE / "schemathesis.toml")),
            *("run", f"{gateway.url}/openapi.json", "--header", f"Authorization: Bearer {key}"),
            *("--generation-deterministic", "--max-examples", "10", "--workers", "1"),
            *("--phases", "coverage,fuzzing"),  # examples: test_reference.py
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": str(HERE / "fuzz_hooks.py"),
            "PYTHONPATH": str(ROOT),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,  # a minute where nothing else keeps the machine busy
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    paths = gateway.ask("GET", "/openapi.json").json()["paths"].values()
    assert f"Operations:       {sum(map(len, paths))} selected" in ran.stdout
    assert "request failed" not in gateway.log
