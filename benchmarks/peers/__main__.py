"""`python -m benchmarks.peers celery|dramatiq|huey|rq START COUNT`: enqueue bare tasks."""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.stand import TEXT, numbers

if __name__ == "__main__":
    queue, start, count = sys.argv[1:]
    send = import_module(f"benchmarks.peers.{queue}_task").send
    for number in numbers(int(count), int(start)):
        send(number, TEXT)
