"""A command runs as if it ran by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dispatcher.cli.child_command import Ended, run
from support.polling import eventually

# Runs as a process of its own, whose streams and signals are a process' own.
PROGRAM = """
import sys
from dispatcher.cli.child_command import run
timeout = float(sys.argv[1]) or None
ended = run(sys.argv[2:], timeout)
print("how:", ended.how, "lines:", list(ended.lines), "interrupted:", ended.interrupted)
sys.exit(ended.code)
"""


def start(*argv: str, timeout: float = 0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(timeout), *argv],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def shell(script: str, timeout: float = 0, given: str = "") -> tuple[int, str, str]:
    process = start("sh", "-c", script, timeout=timeout)
    out, err = process.communicate(given, timeout=180)
    return process.returncode, out, err


def test_streams_and_exit_code_pass_through() -> None:
    code, out, err = shell("cat; echo to err >&2; exit 7", given="from in\n")
    assert (code, err) == (7, "to err\n")
    assert out == ("from in\nhow: ended with exit code 7 lines: ['to err'] interrupted: False\n")


def test_success_is_success() -> None:
    assert shell("true")[0] == 0


def test_what_it_writes_is_seen_while_it_runs(tmp_path: Path) -> None:
    go = tmp_path / "go"
    process = start("sh", "-c", f"echo first >&2; while [ ! -e {go} ]; do sleep 0.05; done")
    assert process.stderr is not None
    assert process.stderr.readline() == "first\n"
    go.touch()
    process.communicate(timeout=180)
    assert process.returncode == 0


def test_only_the_last_lines_are_kept_however_much_it_writes() -> None:
    code, out, err = shell("seq 200000 >&2; printf %1000s x >&2; exit 1")
    assert code == 1
    assert len(err) > 1_000_000
    assert "'199999', '200000', 'x']" in out
    assert "'199990'" not in out


def test_bytes_that_are_no_text_pass_through() -> None:
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM, "0", "sh", "-c", r"printf '\377\000\n' >&2; exit 1"],
        capture_output=True,
        check=False,
        timeout=180,
    )
    assert (process.returncode, process.stderr) == (1, b"\xff\x00\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_signals_are_passed_on(number: signal.Signals) -> None:
    name = number.name.removeprefix("SIG")
    process = start("sh", "-c", f"trap 'exit 9' {name}; echo up >&2; while :; do sleep 0.05; done")
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(number)
    out, _ = process.communicate(timeout=180)
    assert process.returncode == 9
    assert "interrupted: False" in out


def test_what_a_signal_ends_has_the_code_that_shells_give() -> None:
    code, out, _ = shell("kill -KILL $$")
    assert code == 137
    assert "how: was ended by SIGKILL" in out


def test_ctrl_c_is_known() -> None:
    process = start("sh", "-c", "echo up >&2; exec sleep 60")
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=180)
    assert process.returncode == 130
    assert "interrupted: True" in out


def test_when_the_time_is_over_all_that_it_started_is_ended(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = f"sleep 300 & echo $! > {pid}; wait"
    began = time.monotonic()
    code, out, _ = shell(script, timeout=1)
    assert code == 124
    assert "how: did not end in time" in out
    assert time.monotonic() - began < 30
    eventually(lambda: not is_running(int(pid.read_text())), "the background job is gone", 30)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_what_it_leaves_in_the_background_holds_up_nobody(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    began = time.monotonic()
    process = start("sh", "-c", f"sleep 300 & echo $! > {pid}; exit 3")
    try:
        assert process.wait(180) == 3
        assert time.monotonic() - began < 30
    finally:
        os.kill(int(pid.read_text()), signal.SIGKILL)
        process.communicate(timeout=180)


def test_what_is_not_there_or_no_program_has_the_codes_of_shells(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("no program")
    for argv, code, how in (
        (["no-such-command-here"], 127, "was not found"),
        ([str(plain)], 126, "cannot be run"),
    ):
        ended = run(argv)
        assert isinstance(ended, Ended)
        assert (ended.code, ended.how.partition(" (")[0]) == (code, how)
