"""Writes problems to the log as they come and go: whoever reads nothing else sees them there."""

from __future__ import annotations

import logging

from dispatcher.problems.finding import problems
from dispatcher.problems.problem import Level
from dispatcher.problems.snapshot import look
from dispatcher.store import Store
from dispatcher.values.masking import mask_text

log = logging.getLogger(__name__)


class ProblemLog:
    """Looks each time that it is called. What two looks in a row see is told: processes that start
    together see each other a moment later.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: dict[str, Level] = {}
        self._told: dict[str, Level] = {}

    def __call__(self) -> None:
        """Look once; log what is new or worse, and what is over. Raises StoreUnavailable."""
        found = {str(each.name): each for each in reversed(problems(look(self._store)))}
        lasting = {name: each for name, each in found.items() if name in self._seen}
        for name, each in lasting.items():
            if self._told.get(name) is not each.level:
                log.warning("%s: %s. %s", name, mask_text(each.what), each.remedy)
        for name in self._told.keys() - found.keys():
            log.warning("%s: that is over", name)
        self._seen = {name: each.level for name, each in found.items()}
        self._told = {name: each.level for name, each in lasting.items()}
