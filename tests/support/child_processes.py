"""Small programs to be started as children, and the processes that bear a word."""

from __future__ import annotations

import subprocess
import sys

PYTHON = (sys.executable, "-S", "-c")
SLEEPS = "import time; print('up'); time.sleep(60)"
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up")
time.sleep(60)
"""
TELLS = """
import signal, sys, time
def end(*_):
    time.sleep(0.1)
    print(sys.argv[1], file=open(sys.argv[2], "a"))
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("up")
time.sleep(60)
"""


def processes(token: str) -> list[str]:
    listing = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,stat=,args="], capture_output=True, text=True, check=True
    )
    lines = [line for line in listing.stdout.splitlines() if token in line]
    return [line for line in lines if not line.split()[1].startswith("Z")]
