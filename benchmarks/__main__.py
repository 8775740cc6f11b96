"""`python -m benchmarks [NAME…] [--quick]`: run the measurements, one after another."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from importlib import import_module

NAMES = (
    "lua",
    "memory",
    "rate",
    "overtaking",
    "backlog",
    "call_many",
    "idle",
    "speed",
    "callbacks",
    "http",
    "hostile",
    "credit",
    "campaign",
    "alerts",
    "reconcile",
    "retrigger",
    "rows",
    "chaos",
    "failover",
    "brokers",
    "console",
    "light",
)


def main() -> None:
    """Run the named measurements, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, rougher figures")
    options = parser.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are: {', '.join(NAMES)}")
    names = options.names or NAMES
    if len(names) == 1:
        _run(names[0], quick=options.quick)
        return
    for name in names:  # each in a process of its own: none finds what another left
        quick = ["--quick"] if options.quick else []
        subprocess.run([sys.executable, "-m", "benchmarks", name, *quick], check=True)


def _run(name: str, *, quick: bool) -> None:
    started = time.monotonic()
    print(f"\n## {name}\n", flush=True)
    import_module(f"benchmarks.{name}").run(quick=quick)
    print(f"\n({time.monotonic() - started:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
