"""One problem, in words that somebody woken at night understands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dispatcher.model.job import iso_of
from dispatcher.problems.catalogue import CATALOGUE, Name


class Level(StrEnum):
    """How bad it is, the worst first."""

    BAD = "bad"
    """People are not called, or somebody must see to it now."""
    WARN = "warn"
    """It will be so, or it is for some."""
    WELL = "well"


@dataclass(frozen=True, slots=True)
class Problem:
    """What it is and what to do, `since` when (ms since the epoch), and how many jobs wait for it.

    `hold` names the pause that a person can end; `link` is a query of the jobs concerned, `alerts`
    one of the alerts. `name` is '' where all is well.
    """

    level: Level
    what: str
    remedy: str = ""
    since: float | None = None
    waiting: int | None = None
    hold: str = ""
    link: str = ""
    alerts: str = ""
    name: Name | str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "name": str(self.name),
            "level": str(self.level),
            "what": self.what,
            "remedy": self.remedy,
            "since": None if self.since is None else iso_of(self.since),
            "waiting": self.waiting,
        }


def problem(level: Level, name: Name, says: str = "", **more: Any) -> Problem:
    """Return a problem of the catalogue; `says` is what there is to tell of this one."""
    entry = CATALOGUE[name]
    what = f"{entry.title}: {says}" if says else entry.summary
    return Problem(level, **{"what": what, "remedy": entry.remedy, "name": name} | more)
