"""Processes of ours that are forked: they are as if they had been started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.e2e_stack import QUICK, Up, number, processes_of
from support.forked import VOICE_DISPATCHER, Forked, run

SANDBOX = [sys.executable, "-P", "-m", "dispatcher.sandbox", "--port=0"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it starts them elsewhere")


def test_it_looks_as_if_it_had_been_started(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "XOXZO_TEXT": "mit Umlauten: äöü"}
    with Forked(SANDBOX, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith("Provider sandbox listening on http://")
        place = Path(f"/proc/{process.pid}")
        assert place.joinpath("cmdline").read_bytes().rstrip(b"\0").split(b"\0") == [
            os.fsencode(each) for each in SANDBOX
        ]
        assert place.joinpath("environ").read_bytes().rstrip(b"\0").decode().split("\0") == [
            f"{name}={value}" for name, value in env.items()
        ]
        assert place.joinpath("cwd").readlink() == tmp_path
        assert _parent(process.pid) == os.getpid()
        process.terminate()
        assert process.wait(180) == 0


def test_it_is_killed_and_ends_like_any_other() -> None:
    with Forked(SANDBOX, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.kill()
        assert process.wait(180) == -signal.SIGKILL
    assert run([VOICE_DISPATCHER, "--version"], timeout=180).returncode == 0
    wrong = run([VOICE_DISPATCHER, "no-such-command"], timeout=180)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "no-such-command" in wrong.stderr


def test_it_holds_nothing_of_who_asked_for_it() -> None:
    """A pipe ends when those end that were given it; nobody else keeps it open."""
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    with Forked(SANDBOX, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        os.close(writing)
        assert os.read(reading, 1) == b""
        process.kill()
    os.close(reading)


def test_what_is_not_ours_is_started() -> None:
    argv = [sys.executable, "-c", "import sys; print(len(sys.modules))"]
    with Forked(argv, stdout=subprocess.PIPE, text=True) as process:
        assert int(process.communicate(timeout=180)[0]) < 100


def test_what_only_an_interpreter_heeds_is_told_to_one() -> None:
    env = {"PATH": os.environ["PATH"], "PYTHONVERBOSE": "1"}
    assert "import 'site'" in run([VOICE_DISPATCHER, "--version"], timeout=180, env=env).stderr


def test_a_stack_ends_with_all_that_it_forked(tmp_path: Path) -> None:
    """Killed as well: what looks after its processes is its own, not its parent's."""
    with Up(tmp_path, "--no-flower", **QUICK) as up:
        worker = up.pid_of("dial")
        assert _parent(worker) == up.pid
        assert os.getsid(worker) == worker
        assert up.json("call", number("0001"), "--say", "Hi.", "--wait")["state"] == "completed"
        assert up.stop(signal.SIGKILL) == -signal.SIGKILL
    assert processes_of(tmp_path) == {}


def test_one_that_starts_again_is_forked_from_where_it_was(tmp_path: Path) -> None:
    with Up(tmp_path, "--no-flower", "--no-gateway", **QUICK) as up:
        first = up.pid_of("beat")
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while (now := _pid(up)) in (0, first):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert _parent(now) == up.pid


def _pid(up: Up) -> int:
    lines = processes_of(up.folder).items()
    return next((pid for pid, line in lines if " workers.run beat" in line), 0)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
