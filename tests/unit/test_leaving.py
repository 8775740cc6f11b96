"""A process that is told to leave does, whatever it is in the middle of."""

from __future__ import annotations

import subprocess
import sys

from workers.ending import LEFT_BEHIND

LOSES_EXITS = """
import signal, time
from workers.ending import leave_now
signal.signal(signal.SIGTERM, leave_now)
print("ready", flush=True)
while True:
    try:
        time.sleep(60)
    except SystemExit:
        pass
"""


def test_it_leaves_though_the_exit_is_lost() -> None:
    """As in a finalizer, or in a library that catches everything."""
    with subprocess.Popen(
        [sys.executable, "-c", LOSES_EXITS], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.wait(LEFT_BEHIND + 10) == 0
