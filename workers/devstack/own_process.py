"""Our own modules as processes: found by their place, whatever else has their names.

A service may have packages called `config` or `workers` in its directory or on PYTHONPATH.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of ours, in `environment`."""
    return [sys.executable, "-P", "-m", module, *arguments]  # -P: not from the working directory


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which what stands beside us is found first."""
    others = given.get("PYTHONPATH")
    return {**given, "PYTHONPATH": os.pathsep.join([str(ROOT), *([others] if others else [])])}
