"""Moves the chains of alerts on in each dialling worker, also where beat or the broker is away."""

from __future__ import annotations

import logging
import threading

from dispatcher.alerts.alerting import Alerting
from dispatcher.errors import DispatcherError

log = logging.getLogger(__name__)

EVERY = 0.5
"""Seconds between two looks for chains whose time has come."""


class AlertWatch:
    """A daemon thread: it holds nothing that could be lost. Processes share the work."""

    def __init__(self, alerting: Alerting, every: float = EVERY) -> None:
        self._alerting, self._every = alerting, every
        self._failing = False

    def start(self) -> None:
        """Look from now on, as long as the process lives."""
        threading.Thread(target=self._run, name="alerts", daemon=True).start()

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            self.run_once()
            pause.wait(self._every)

    def run_once(self) -> int:
        """Look once; return how many chains moved. That Redis is away is logged once."""
        try:
            moved = self._alerting.advance_due()
        except DispatcherError as error:
            self._tell(error)
            return 0
        except Exception:
            log.exception("chains of alerts could not be moved on: trying again")
            return 0
        self._failing = False
        return moved

    def _tell(self, error: DispatcherError) -> None:
        if not self._failing:
            log.warning("%s Chains of alerts wait until it answers", error)
        self._failing = True
