"""A measurement that is ended from outside ends what it started, frozen or not, before it goes."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence

ENDINGS = (signal.SIGTERM, signal.SIGHUP)


def unwind_when_ended() -> None:
    """Leave every `with` block where somebody ends us: what each started ends there. Once: who
    insists must not break that off.
    """
    for number in ENDINGS:
        signal.signal(number, _unwind)


def _unwind(number: int, _frame: object) -> None:
    for each in ENDINGS:
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


def run_to_its_end(command: Sequence[str]) -> int:
    """Run a command that unwinds by itself; return its exit code. Where we are ended it is ended,
    too, and waited for.
    """
    with subprocess.Popen(command) as process:
        try:
            return process.wait()
        except BaseException:
            process.terminate()
            raise
