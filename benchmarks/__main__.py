"""`python -m benchmarks [NAME…] [--quick] [--against COMMIT]`: measure, one after another."""

from __future__ import annotations

import argparse
import inspect
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from importlib import import_module

from benchmarks.checkout import checked_out
from benchmarks.ending import run_to_its_end, unwind_when_ended
from benchmarks.figures import Table
from benchmarks.results import tell

NAMES = (
    "lua",
    "memory",
    "rate",
    "overtaking",
    "backlog",
    "call_many",
    "idle",
    "due",
    "speed",
    "surroundings",
    "life",
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
    "capacity",
    "light",
)


def main() -> None:
    """Run the named measurements, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, rougher figures")
    parser.add_argument(
        "--against", metavar="COMMIT", help="by turns with this commit, where both can be compared"
    )
    options = parser.parse_args()
    unwind_when_ended()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are: {', '.join(NAMES)}")
    names = options.names or NAMES
    if options.against:
        names = _comparable(parser, options.names)
    if len(names) == 1:
        _run(names[0], quick=options.quick, against=options.against)
        return
    for name in names:  # each in a process of its own: none finds what another left
        code = run_to_its_end([sys.executable, "-m", "benchmarks", name, *_options(options)])
        if code:
            sys.exit(code)


def _options(given: argparse.Namespace) -> list[str]:
    quick = ["--quick"] if given.quick else []
    return [*quick, "--against", given.against] if given.against else quick


def _comparable(parser: argparse.ArgumentParser, names: list[str]) -> list[str]:
    """Return what can be compared with another commit: all of it where none is named."""
    can = [name for name in NAMES if _takes_another(_measurement(name))]
    cannot = set(names) - set(can)
    if cannot:
        parser.error(
            f"{', '.join(sorted(cannot))}: measured from the inside, so that no other commit can be"
            f" beside it; leave out --against, or choose of {', '.join(can)}"
        )
    return names or can


def _measurement(name: str) -> Callable[..., Iterable[Table]]:
    found: Callable[..., Iterable[Table]] = import_module(f"benchmarks.{name}").run
    return found


def _takes_another(measurement: Callable[..., object]) -> bool:
    return "against" in inspect.signature(measurement).parameters


def _run(name: str, *, quick: bool, against: str | None) -> None:
    started = time.monotonic()
    print(f"\n## {name}\n", flush=True)
    with checked_out(against) if against else nullcontext() as other:
        beside = {"against": other} if other else {}
        file = tell(name, _measurement(name)(quick=quick, **beside) or (), quick=quick)
    print(f"({time.monotonic() - started:.0f} s; kept in {file})", flush=True)


if __name__ == "__main__":
    main()
