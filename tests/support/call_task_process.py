"""The call task as a process of its own, on one Redis for everything."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.forked import Forked
from support.polling import WITHIN, eventually
from workers.devstack import own_process


@contextmanager
def call_task(folder: Path, url: str) -> Iterator[Path]:
    """Run the call task; yields its log. It must not end by itself."""
    log = folder / "log"
    environment = own_process.environment(
        {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "DISPATCHER_REDIS_URL": url,
            "XOXZO_API_SID": "sandbox",
            "XOXZO_API_AUTH_TOKEN": "sandbox",
            "PYTHONUNBUFFERED": "1",
        }
    )
    with log.open("wb") as file:
        process = Forked(
            own_process.command("workers.run", "call-task"),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(lambda: "consuming" in log.read_text(), "it consumes", 2 * WITHIN, log.read_text)
        yield log
        assert process.poll() is None, log.read_text()
    finally:
        process.kill()
        process.wait()
