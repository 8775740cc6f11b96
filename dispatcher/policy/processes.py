"""Which processes run, which of them do nothing, and in what they differ: pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dispatcher.model.process import Process, Role
from dispatcher.values.counts import counted

BEATS_EVERY = 3.0
"""Seconds between two heartbeats of a process."""
SILENT_AFTER = 15_000
"""ms since its last heartbeat after which a process counts as gone."""
STILL_AFTER = 120.0
"""Seconds without a task after which a worker does nothing: beat has several begun each second, and
no request to the provider takes so long.
"""


@dataclass(frozen=True, slots=True)
class Roll:
    """The processes that were heard of within the last hour, judged at `now` (ms)."""

    now: float
    heard_of: tuple[Process, ...]

    @property
    def running(self) -> tuple[Process, ...]:
        """Those that run. A clock that went back makes nobody silent."""
        return tuple(p for p in self.heard_of if abs(self.now - p.heard) < SILENT_AFTER)

    def of(self, role: Role) -> tuple[Process, ...]:
        """Return those of a role that run."""
        return tuple(p for p in self.running if p.role is role)

    @property
    def words(self) -> str:
        """How many run of each role, such as `2 workers, 1 beat`."""
        many = Counter(p.role for p in self.running)
        named = (counted(many[role], role.words) for role in Role if many[role])
        return ", ".join(named) or "none runs"

    def last_heard(self, role: Role) -> float | None:
        """Return when one of a role was heard of last (ms); None: not within the last hour."""
        return max((p.heard for p in self.heard_of if p.role is role), default=None)

    @property
    def stuck(self) -> tuple[Process, ...]:
        """The workers that run and do nothing, although beat has tasks begun all the time."""
        if not self.beat_is_steady:
            return ()
        return tuple(p for p in self.of(Role.WORKER) if (p.still or 0) > STILL_AFTER)

    @property
    def beat_is_steady(self) -> bool:
        """Whether a beat has run for so long that each worker should have begun a task."""
        return any(self.now - p.started > STILL_AFTER * 1000 for p in self.of(Role.BEAT))

    @property
    def silent(self) -> tuple[Process, ...]:
        """Those that stopped telling and did not say that they end, unless one of the same role has
        started since.
        """
        running = self.running
        gone = (p for p in self.heard_of if p not in running)
        return tuple(
            p for p in gone if not any(q.role is p.role and q.started > p.heard for q in running)
        )

    @property
    def working(self) -> tuple[Process, ...]:
        """The workers that dial."""
        stuck = self.stuck
        return tuple(p for p in self.of(Role.WORKER) if p not in stuck)


def versions(processes: Iterable[Process]) -> list[str]:
    """Return the versions that run, in order."""
    return sorted({p.version for p in processes})


def different_settings(processes: Sequence[Process]) -> list[str]:
    """Return the names of the settings that are not the same for all, in order."""
    names = {name for p in processes for name in p.settings}
    return sorted(n for n in names if len({p.settings.get(n) for p in processes}) > 1)
