"""One thing that `doctor` looked at."""

from __future__ import annotations

from dataclasses import dataclass

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `level` is ok, warn or fail."""

    what: str
    level: str
    says: str
