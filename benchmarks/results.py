"""Prints what a measurement found, and keeps it as JSON beside the circumstances."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.circumstances import circumstances
from benchmarks.figures import Table

FOLDER = Path(__file__).parent / "results"
"""What this machine measured; git leaves it out."""
REFERENCE = Path(__file__).parent / "reference"
"""What docs/reference/benchmarks.md and docs/how-to/capacity.md say, kept in git."""


def tell(name: str, tables: Iterable[Table], *, quick: bool, folder: Path = FOLDER) -> Path:
    """Print each table as soon as it is there; return the file in which all of them are."""
    about = {"name": name, "quick": quick, "began": _now(), **circumstances()}
    found: list[dict[str, Any]] = []
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    for table in tables:
        print(f"{table.text()}\n", flush=True)
        found.append(table.record())
        # Each time, so that what a later part of a long measurement breaks off is not lost.
        file.write_text(json.dumps(about | {"tables": found}, indent=1, ensure_ascii=False) + "\n")
    return file


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
