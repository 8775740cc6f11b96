"""A process that has loaded everything and forks the others: a killed worker is back at once.

Reads one order a line (JSON) and answers with the process id; ends with its input, and so do all
that it forked.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

from support import chaos_points
from workers import run


def main() -> None:
    """Serve orders until the input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead need no burial
    children: list[int] = []
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            live(order)
        children.append(child)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
    for child in children:
        end(child)


def end(child: int) -> None:
    try:
        os.kill(child, signal.SIGKILL)
    except ProcessLookupError:
        return


def live(order: dict[str, Any]) -> None:
    """Be the process that was ordered; never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with Path(order["log"]).open("ab") as log:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.environ.clear()
    os.environ.update(order["env"])
    warnings.simplefilter("ignore")  # that tests may run as root
    chaos_points.quicken(order["lease"], order["check_lease"])
    if not order["looks"]:
        chaos_points.never_look()
    if order["skew"]:
        chaos_points.skew(order["skew"])
    if order["trap"]:
        trap = order["trap"]
        how = signal.Signals(trap.pop("how"))
        chaos_points.set_trap(chaos_points.Trap(**{**trap, "log": Path(trap["log"])}, how=how))
    try:
        run.main(order["role"], **order["options"])
    except BaseException as error:
        sys.stderr.write(f"ended: {error!r}\n")
        sys.stderr.flush()
        raise
    finally:
        sys.stdout.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
