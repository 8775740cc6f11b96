"""Tells once a week what alerts came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dispatcher.alerts.summary import summary
from dispatcher.store import Store
from dispatcher.values.weekly import Weekly


@dataclass(frozen=True)
class SummariseAlerts:
    """A tick of beat. `weekly` is when a week ends; None: nobody wants it."""

    store: Store
    weekly: Weekly | None

    def __call__(self) -> dict[str, int]:
        """Run once; return whether a week was told."""
        if self.weekly is None:
            return {}
        now = self.store.moment()
        until = self.weekly.latest(now)
        if self._is_told(until):
            return {}
        since = self.weekly.before(until)
        found = summary(self.store, since, until, self.weekly.zone)
        told = self.store.alert_summaries.tell(until.timestamp() * 1000, found.to_dict())
        return {"told": 1} if told else {}

    def _is_told(self, until: datetime) -> bool:
        last = self.store.alert_summaries.last()
        return last is not None and last >= until.timestamp() * 1000
