"""How everything stands at one moment: all that problems are found by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dispatcher.alerts.chains_state import wrong
from dispatcher.model.alert import AlertState
from dispatcher.model.callbacks_seen import CallbacksSeen
from dispatcher.model.campaign import Campaign
from dispatcher.model.credit import Credit
from dispatcher.model.states import Priority, Reason, State
from dispatcher.policy.can_call import REACHED_WITHIN
from dispatcher.policy.credit_forecast import HORIZON, Forecast, forecast
from dispatcher.policy.processes import Roll
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.missing_rights import MissingRight
from dispatcher.store.queue import Waits
from dispatcher.store.refused_reports import RefusedReports
from dispatcher.store.statistics import Minute
from dispatcher.store.values import Hold, Pace

CAMPAIGNS = 20
"""The latest campaigns, so many, are looked at."""
_CALLED = (f"{State.COMPLETED}", f"{State.FAILED}:{Reason.NO_ANSWER}")
"""Ends of jobs whose calls the provider placed."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How everything stands at `now` (ms since the epoch)."""

    now: float
    holds: tuple[Hold, ...]
    jobs: dict[str, dict[str, int]]
    """State -> reason ('' for none) -> how many."""
    pace: Pace
    credit: Credit
    behind: Mapping[str, int]
    """How many jobs each hold keeps."""
    waits: Waits
    minutes: list[Minute]
    dead_webhooks: int = 0
    alerts: Mapping[AlertState, int] = field(default_factory=dict)
    """How many alerts are in each state."""
    refusal: str = ""
    """Why Redis takes no writes; '' where it does."""
    missing_rights: tuple[MissingRight, ...] = ()
    """What workers may not do with their users of Redis or the broker."""
    chains: str = ""
    """What is wrong with who is on call; '' where nothing is."""
    roll: Roll | None = None
    """Which processes run; None: that is not asked."""
    line_lengths: tuple[int, ...] = ()
    """How many jobs stood in line, minute by minute, the latest last."""
    forecast: Forecast | None = None
    callbacks: CallbacksSeen = field(default_factory=CallbacksSeen)
    campaigns: tuple[Campaign, ...] = ()
    refused_reports: tuple[RefusedReports, ...] = ()

    def count(self, state: State) -> int:
        """How many jobs are in a state."""
        return sum(self.jobs.get(state, {}).values())

    @property
    def ready(self) -> int:
        """How many stand in line."""
        return sum(self.pace.ready.values())

    @property
    def waiting(self) -> int:
        """How many are held or stand in line."""
        return self.count(State.HELD) + self.ready

    @property
    def oldest(self) -> float | None:
        """When the oldest of all that are held or stand in line became due (ms since the epoch)."""
        return min((at for at in self.waits.since.values() if at is not None), default=None)

    @property
    def urgent_since(self) -> float | None:
        """The same, of the urgent ones."""
        return self.waits.since.get(Priority.URGENT)

    @property
    def late(self) -> dict[str, float]:
        """For how many seconds the oldest has stood in line, by priority, and under `scheduled`
        been past its time without being in line.
        """
        return {
            what: 0.0 if since is None else max(0.0, (self.now - since) / 1000)
            for what, since in self.waits.late.items()
        }

    @property
    def rate(self) -> float | None:
        """Requests per second that the provider takes, as far as is known; None: no limit."""
        pace = self.pace
        if pace.working_rate is None:
            return None
        return min([pace.working_rate, *(found.per_second for found in pace.found)])

    @property
    def drain(self) -> float | None:
        """Seconds until all that stand in line are dialled, at the rate; None: no limit."""
        return self.ready / self.rate if self.rate else None

    @property
    def reached(self) -> bool:
        """Whether calls came about within REACHED_WITHIN minutes."""
        lately = self.minutes[-REACHED_WITHIN:]
        return any(minute.outcomes[kind] for minute in lately for kind in _CALLED)


def look(store: Store) -> Snapshot:
    """Return how everything stands now. Raises StoreUnavailable."""
    now, credit = store.now(), store.budget.credit()
    return Snapshot(
        now=now,
        holds=tuple(store.holds.all()),
        jobs=store.search.counts(),
        pace=store.limiter.pace(),
        credit=credit,
        behind=store.statistics.behind(),
        waits=store.queue.waits(),
        minutes=store.statistics.outcome_counts(),
        dead_webhooks=store.webhooks.counts()["dead"],
        alerts=store.alerts.counts(),
        refusal=refusal(store),
        missing_rights=tuple(store.missing_rights.all()),
        chains=wrong(store),
        roll=store.heartbeats.roll(),
        line_lengths=tuple(store.line_lengths.latest()),
        forecast=_forecast(store, credit, now),
        callbacks=store.callbacks.seen(),
        campaigns=tuple(store.campaigns.page(CAMPAIGNS).campaigns),
        refused_reports=tuple(store.refused_reports.all()),
    )


def refusal(store: Store) -> str:
    """Return why Redis takes no writes; '' where it does."""
    try:
        store.server.check_writable()
    except StoreUnavailable as error:
        return str(error)
    return ""


def _forecast(store: Store, credit: Credit, now: float) -> Forecast:
    by_then, scheduled = store.queue.scheduled(now + HORIZON * 3_600_000)
    usual = [[hour.spent for hour in hours] for hours in store.history.alike(HORIZON)]
    return forecast(credit, usual, now, by_then / scheduled if scheduled else 0.0)
