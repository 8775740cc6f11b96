"""`up`, `beat` and `demo` as processes: they end whole, and stand beside each other."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.e2e_stack import (
    QUICK,
    STOPS_WITHIN,
    VOICE_DISPATCHER,
    Up,
    environment,
    number,
    processes_of,
)
from support.forked import run
from support.polling import eventually

MOMENTS = (0.2, 0.7, 1.5, 3.0)
"""Seconds after the start: while it imports, starts Redis, starts the rest, and when it is up."""
LOST = ("Failed checking if argv[0]", "Exception ignored")
"""What Python says at its own start where it takes Ctrl-C, and goes on: one presses it again."""


def interrupted_at_moments(folder: Path) -> list[tuple[int, str]]:
    """Interrupt several ups, each at another moment; return exit codes and logs."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda after: _interrupted(folder / str(after), after), MOMENTS))


def _interrupted(folder: Path, after: float) -> tuple[int, str]:
    up = Up(folder, start=subprocess.Popen, **QUICK)
    up.start()
    time.sleep(after)
    os.kill(up.pid, signal.SIGINT)
    eventually(
        lambda: up.exit_code is not None or any(words in up.log for words in LOST),
        "it ends",
        STOPS_WITHIN,
        lambda: up.log,
    )
    return up.stop(signal.SIGINT), up.log


@pytest.mark.played(by=interrupted_at_moments)
def test_ctrl_c_at_any_moment_leaves_no_process_behind(outcome: list[tuple[int, str]]) -> None:
    for code, log in outcome:
        assert code in {0, 130, -signal.SIGINT} or "init_import_site" in log  # Python's own start
        assert "Traceback" not in log or "KeyboardInterrupt" in log  # it was importing still


def killed(folder: Path) -> list[str]:
    """Kill an up with its whole stack running; return what of it is left half a minute later."""
    up = Up(folder, start=subprocess.Popen, **QUICK)
    up.start()
    up.wait_until_up()
    assert len(processes_of(folder)) > 6
    assert up.stop(signal.SIGKILL) == -signal.SIGKILL
    return list(processes_of(folder).values())


@pytest.mark.played(by=killed)
def test_a_killed_up_leaves_no_process_behind(outcome: list[str]) -> None:
    assert outcome == []


def two_folders(folder: Path) -> list[str]:
    """Start two ups at the same moment; return what a call through each came to."""
    ups = [Up(folder / name, **QUICK) for name in ("one", "other")]
    with ExitStack() as stack:
        for up in ups:
            up.start()
            stack.push(up)
        for up in ups:
            up.wait_until_up()
        assert len({up.announced["flower_url"] for up in ups}) == 2
        return [up.json("call", number("0001"), "--say", "Hi.", "--wait")["state"] for up in ups]


@pytest.mark.played(by=two_folders)
def test_two_ups_in_two_folders_do_not_meet(outcome: list[str]) -> None:
    assert outcome == ["completed", "completed"]


def two_demos(folder: Path) -> list[subprocess.CompletedProcess[str]]:
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(_demo, [folder / "one", folder / "other"]))


def _demo(folder: Path) -> subprocess.CompletedProcess[str]:
    folder.mkdir()
    command = [str(VOICE_DISPATCHER), "demo", f"--log={folder / 'log'}"]
    done = run(command, cwd=folder, env=environment(folder), timeout=150)
    eventually(lambda: not processes_of(folder), "no process of the demo is left", STOPS_WITHIN)
    return done


@pytest.mark.played(by=two_demos)
def test_two_demos_at_once_both_do_the_main_job(
    outcome: list[subprocess.CompletedProcess[str]],
) -> None:
    for done in outcome:
        assert done.returncode == 0, done
        assert "14 of 14 ended as expected" in done.stdout
        assert "People called too often, as the provider counts: 0" in done.stdout
        assert "Flower saw" in done.stdout
        assert not [line for line in done.stdout.splitlines() if line.rstrip().endswith(" NO")]
