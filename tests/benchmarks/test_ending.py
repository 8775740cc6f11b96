"""A measurement that somebody ends leaves no process behind, not even one that it froze."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.polling import eventually

ROOT = Path(__file__).resolve().parents[2]
MEASURING = """
import os, signal, sys, time
from benchmarks.ending import unwind_when_ended
from benchmarks.processes import started
unwind_when_ended()
with started("frozen", ["sleep", "600"], os.environ) as group:
    group.send(signal.SIGSTOP)
    print(group.pid, flush=True)
    time.sleep(600)
"""
ABOVE = """
import sys
from benchmarks.ending import run_to_its_end, unwind_when_ended
unwind_when_ended()
sys.exit(run_to_its_end([sys.executable, "-c", sys.argv[1]]))
"""
WAYS = {"one": (MEASURING,), "one of several": (ABOVE, MEASURING)}


@pytest.mark.parametrize("code", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_it_started_ends_with_it(code: tuple[str, ...], number: signal.Signals) -> None:
    command = [sys.executable, "-c", *code]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as measuring:
        assert measuring.stdout
        frozen = int(measuring.stdout.readline())
        measuring.send_signal(number)
        assert measuring.wait(180) == 128 + number
    eventually(lambda: not _runs(frozen), "it has ended")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
