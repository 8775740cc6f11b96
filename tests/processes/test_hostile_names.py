"""A service's own packages called `config` and `workers` are never taken for ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dispatcher.sandbox import SandboxOptions
from support.cli_shell import SCRIPT
from workers.devstack.embedded_server import EmbeddedServer

HOSTILE = "taken for ours"
NOTHING_RUNS = 1
"""What `doctor` ends with, since it finds no worker."""
STARTS_WITHIN, STOPS_WITHIN = 180.0, 60.0


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """A service's folder, with packages that end whoever imports them."""
    folder = tmp_path / "service"
    for package in ("config", "workers"):
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").write_text(f"raise SystemExit({HOSTILE!r})\n")
    return folder


WAYS = {
    "PYTHONPATH": {"PYTHONPATH": "{service}"},
    "an empty entry": {"PYTHONPATH": ":{service}"},  # it means the working directory
    "no directory": {"PYTHONPATH": "{service}", "PYTHONSAFEPATH": "1"},
}
"""How the service's packages come before ours; its folder is the working directory in all."""


@pytest.fixture
def environment(service: Path, server: EmbeddedServer) -> dict[str, str]:
    known = SandboxOptions()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(service),
        "DISPATCHER_REDIS_URL": server.url,
        "DISPATCHER_CALLER": "+815012345678",
        "XOXZO_API_HOST": "http://127.0.0.1:9",
        "XOXZO_API_SID": known.sid,
        "XOXZO_API_AUTH_TOKEN": known.token,
    }


def hostile(service: Path, environment: dict[str, str], way: str) -> dict[str, str]:
    paths = {name: value.format(service=service) for name, value in WAYS[way].items()}
    found = {**environment, **paths}
    done = subprocess.run(
        [sys.executable, "-c", "import config"], cwd=service, env=found, check=False
    )
    assert done.returncode == 1, "the service's own must come first, or nothing is tested"
    return found


@pytest.mark.parametrize(
    ("way", "command", "code"),
    [
        *((way, ("doctor", "--no-provider"), NOTHING_RUNS) for way in WAYS),
        ("PYTHONPATH", ("list",), 0),
        ("an empty entry", ("up", "--help"), 0),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else str(value),
)
def test_commands_that_end(
    service: Path, environment: dict[str, str], way: str, command: tuple[str, ...], code: int
) -> None:
    done = subprocess.run(
        [SCRIPT, *command],
        cwd=service,
        env=hostile(service, environment, way),
        capture_output=True,
        text=True,
        check=False,
        timeout=STARTS_WITHIN,
    )
    assert (done.returncode, done.stderr) == (code, "")


def test_a_worker_with_all_its_processes(service: Path, environment: dict[str, str]) -> None:
    with running(service, hostile(service, environment, "PYTHONPATH"), "worker") as log:
        eventually(lambda: log.read_text().count("consuming") == 3, log)
    assert HOSTILE not in log.read_text()


def test_the_whole_stack(service: Path, environment: dict[str, str]) -> None:
    announced = service / ".voice-dispatcher" / "up.json"
    surroundings = hostile(service, environment, "an empty entry")
    with running(service, surroundings, "up", "--sandbox") as log:
        eventually(announced.exists, log)
    assert HOSTILE not in log.read_text()


@contextmanager
def running(service: Path, environment: dict[str, str], *arguments: str) -> Iterator[Path]:
    """Run a command; give the file it writes to. At the end it stops, and its exit code is 0."""
    log = service.with_suffix(".log")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [SCRIPT, *arguments], cwd=service, env=environment, stdout=out, stderr=out
        )
    try:
        yield log
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(STOPS_WITHIN)
    assert code == 0, log.read_text()


def eventually(holds: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while not holds():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
