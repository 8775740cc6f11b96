"""Sees that nobody can be called at all, and has it told once, whichever process sees it first."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from dispatcher.errors import DispatcherError
from dispatcher.model.alert import AlertState
from dispatcher.model.states import Priority, Reason, State
from dispatcher.policy.can_call import REACHED_WITHIN, Obstacle, Situation, obstacle, refused
from dispatcher.store import Store
from dispatcher.store.stoppage import StoppageNews
from dispatcher.values.masking import mask_text
from dispatcher.values.steady_clock import since_boot

log = logging.getLogger(__name__)

CALLED = (f"{State.COMPLETED}", f"{State.FAILED}:{Reason.NO_ANSWER}")
"""Ends of jobs whose calls the provider placed."""


def situation(store: Store) -> Situation:
    """Return how things stand now. Raises StoreUnavailable where Redis does not even answer."""
    return Situation(
        roll=store.heartbeats.roll(),
        holds=store.holds.all(),
        refusal=_refusal(store),
        urgent_since=store.queue.waiting_since()[Priority.URGENT],
        ringing=store.alerts.counts()[AlertState.RINGING],
        credit=store.budget.credit(),
        reached=_reached(store),
    )


def _reached(store: Store) -> bool:
    """Whether calls came about lately: where they do, what a balance check says matters less."""
    minutes = store.statistics.outcome_counts(REACHED_WITHIN)
    return any(kind.startswith(CALLED) for minute in minutes for kind in minute.outcomes)


def _refusal(store: Store) -> str:
    try:
        store.server.check_writable()
    except DispatcherError as error:
        return str(error)
    return ""


@dataclass(frozen=True, slots=True)
class Alone:
    """A stoppage that each process tells of by itself: without Redis none knows who has told it.

    `since` is in seconds of a clock that nobody sets.
    """

    since: float
    found: Obstacle
    told: bool = False

    def news(self, kind: str, now: float) -> StoppageNews:
        """Return what is to be told of it, by this machine's clock."""
        at = time.time() * 1000
        since, found = at - (now - self.since) * 1000, self.found
        return StoppageNews(kind, at, since, found.cause, found.why, found.remedy)


class CallsWatch:
    """Looks each time that it is called. `grace` are the seconds that a stoppage must last before
    it is told of; `tell` is given the news that no other process can tell.
    """

    def __init__(
        self,
        store: Store,
        grace: float,
        tell: Callable[[StoppageNews], object] = lambda _: None,
        steady: Callable[[], float] = since_boot,
    ) -> None:
        self._store, self._grace, self._tell, self._steady = store, grace, tell, steady
        self._alone: Alone | None = None

    def __call__(self) -> str:
        """Look once; return `stopped` or `possible` where this look made it known, else ''."""
        try:
            found = obstacle(situation(self._store))
            told = self._store.stoppage.note(found, self._grace)
        except DispatcherError as error:
            return self._note_alone(refused(str(error)))
        if told:
            _log(told, found.why if found else "")
        return self._end_alone(found) or told

    def possible(self) -> bool:
        """Return whether calls are possible, or a stoppage is still too short to be told of."""
        if self._alone is not None:
            return not self._alone.told
        try:
            return not self._store.stoppage.stopped()
        except DispatcherError:  # the next look begins to count
            return True

    def _note_alone(self, found: Obstacle) -> str:
        now = self._steady()
        before = self._alone or Alone(now, found)
        tells = not before.told and now - before.since >= self._grace
        self._alone = Alone(before.since, found, told=before.told or tells)
        if not tells:
            return ""
        _log("stopped", found.why)
        self._tell(self._alone.news("stopped", now))
        return "stopped"

    def _end_alone(self, found: Obstacle | None) -> str:
        """Redis is back. What was told of is over only when people can be called."""
        alone = self._alone
        if alone is None or (alone.told and found is not None):
            return ""
        self._alone = None
        if not alone.told:
            return ""
        _log("possible", "")
        self._tell(alone.news("possible", self._steady()))
        return "possible"


def _log(kind: str, why: str) -> None:
    if kind == "stopped":
        log.error("nobody can be called: %s", mask_text(why))
    else:
        log.warning("people can be called again")
