"""`python -m benchmarks [NAME…] [--quick]`: run the measurements, one after another."""

from __future__ import annotations

import argparse
import time
from importlib import import_module

NAMES = ("memory",)


def main() -> None:
    """Run the named measurements, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, rougher figures")
    options = parser.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are: {', '.join(NAMES)}")
    for name in options.names or NAMES:
        started = time.monotonic()
        print(f"\n## {name}\n", flush=True)
        import_module(f"benchmarks.{name}").run(quick=options.quick)
        print(f"\n({time.monotonic() - started:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
