"""Processes whose machine has a wrong time of day."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def clock_ahead(folder: Path, seconds: int) -> dict[str, str]:
    """Return the environment of processes whose time of day is so far ahead.

    Nothing where there is no C compiler. (The kernel's time namespaces have other clocks only.)
    """
    compiler = shutil.which("cc")
    if not compiler:
        return {}
    library = folder / "clock_ahead.so"
    source = Path(__file__).with_name("clock_ahead.c")
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
    return {"LD_PRELOAD": str(library), "CLOCK_AHEAD": str(seconds)}
