"""What the end of whoever starts processes leaves of them: nothing, whatever moment it comes at."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.child_processes import PYTHON, SLEEPS, STUBBORN, TELLS, processes
from support.polling import eventually
from workers.devstack.process_reaper import PROCESS_REAPER, ProcessReaper, kill_group

OWNER = """
import sys
from workers.devstack.supervisor import Service, Supervisor
token, deaf, loud = sys.argv[1:]
sleeper = [sys.executable, "-S", "-c"]
with Supervisor(log=sys.stdout) as running:
    running.say("begun")
    running.add(Service("a", [*sleeper, loud, token]))
    running.start()
    running.add(Service("b", [*sleeper, deaf, token], stop_timeout=0.3))
    running.wait_line("a", "up", 180)
    running.add(Service("c", ["sh", "-c", f"sleep 60 & echo up; : {token}; wait"]))
    running.wait_line("b", "up", 180)
    running.wait_ready(10)
    running.say("complete")
    running.run()
"""


def owner(token: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, token, STUBBORN, SLEEPS], stdout=subprocess.PIPE, text=True
    )


def read_until(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout
    assert any(word in line for line in process.stdout)


@pytest.mark.parametrize("after", [0.0, 0.02, 0.05, 0.1, 0.2])
def test_ctrl_c_at_any_moment_of_the_start_ends_cleanly(token: str, after: float) -> None:
    with owner(token) as process:
        read_until(process, "begun")
        time.sleep(after)  # the moment is the test's input: each one must do
        process.send_signal(signal.SIGINT)
        assert process.stdout
        rest = process.stdout.read()
    assert process.returncode == 0, rest
    assert not processes(token)


def test_a_killed_supervisor_leaves_no_process(token: str) -> None:
    """Neither one that ignores SIGTERM nor a grandchild stays."""
    with owner(token) as process:
        read_until(process, "complete")
        assert len(processes(token)) >= 4, "the owner and its three services"
        process.kill()
    assert eventually(lambda: not processes(token))


@pytest.mark.parametrize("after", [0.0, 0.01, 0.03, 0.06])
def test_a_supervisor_killed_during_the_start_leaves_no_process(token: str, after: float) -> None:
    with owner(token) as process:
        read_until(process, "begun")
        time.sleep(after)  # the moment is the test's input: each one must do
        process.kill()
    assert eventually(lambda: not processes(token))


ORPHANS = """
import os, sys
from workers.devstack.process_reaper import PROCESS_REAPER
for name in ("a", "b"):
    python = [sys.executable, "-S", "-c", *sys.argv[1:2]]
    child = PROCESS_REAPER.spawn([*python, name, *sys.argv[2:]], stdout=-1)
    child.stdout.readline()
if sys.argv[4] == "killed":
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("how", ["killed", "forgotten"])
def test_the_guardian_stops_what_is_left_the_newest_first(
    tmp_path: Path, token: str, how: str
) -> None:
    order = tmp_path / "order"
    code = TELLS.replace('print("up")', 'print("up", flush=True)')
    command = [sys.executable, "-c", ORPHANS, code, str(order), token, how]
    subprocess.run(command, check=False, timeout=180)
    eventually(lambda: not processes(token), "all had ended")
    assert order.read_text().split() == ["b", "a"]


def test_a_killed_guardian_is_replaced_by_one_that_knows_all(token: str) -> None:
    reaper = ProcessReaper()
    first = reaper.spawn([*PYTHON, SLEEPS, token], stdout=subprocess.DEVNULL)
    assert reaper._process
    reaper._process.kill()
    reaper._process.wait()
    second = reaper.spawn([*PYTHON, SLEEPS, token], stdout=subprocess.DEVNULL)
    reaper.close()
    assert first.wait(30) == second.wait(30) == -signal.SIGTERM


def test_a_released_child_is_left_alone() -> None:
    reaper = ProcessReaper()
    child = reaper.spawn([*PYTHON, SLEEPS], stdout=subprocess.DEVNULL)
    reaper.release(child)
    reaper.close()
    assert child.poll() is None
    kill_group(child.pid)
    assert child.wait(30) == -signal.SIGKILL


def test_a_child_that_is_not_let_through_the_gate_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner is interrupted before the guardian knows the child."""

    def interrupt(_line: bytes) -> None:
        raise KeyboardInterrupt

    reaper, sign = ProcessReaper(), tmp_path / "sign"
    monkeypatch.setattr(reaper, "_tell", interrupt)
    with pytest.raises(KeyboardInterrupt):
        reaper.spawn(["touch", str(sign)])
    assert not sign.exists()


def test_an_unknown_command_shows_as_in_a_shell() -> None:
    child = PROCESS_REAPER.spawn(["no-such-command"], stderr=subprocess.DEVNULL)
    assert child.wait(30) == 127
    PROCESS_REAPER.release(child)
