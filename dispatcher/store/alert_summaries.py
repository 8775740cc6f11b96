"""The weekly summary of alerts: told once for each week, whoever works it out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dispatcher.store.connection import Repository
from dispatcher.store.errors import plain_errors


class AlertSummaries(Repository):
    """Which week was told last."""

    def last(self) -> float | None:
        """Return the end of the last week that was told, in ms since the epoch; None: none was."""
        with plain_errors():
            found: Any = self._redis.get(self._key("alert_summary"))
        return float(found) if found else None

    def tell(self, until: float, facts: Mapping[str, Any]) -> bool:
        """Tell of the week that ended then (ms since the epoch), as the account event
        `alerts.summary`; False: it, or a later one, is told, or it is the first ever, which is only
        noted: nothing was watched before.
        """
        return bool(
            self._run("tell_alert_summary", until=round(until), facts=json.dumps(dict(facts)))
        )
