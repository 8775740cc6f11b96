"""What alerts came to in a span of time: how many, how soon somebody had them, who was called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, tzinfo
from itertools import takewhile
from typing import Any, Final

from dispatcher.model.alert import Alert, AlertReason, AlertState
from dispatcher.model.job import iso
from dispatcher.store import Store
from dispatcher.values.masking import mask_text

NIGHT: Final = (time(22), time(7))
"""Calls from the one to the other woke somebody, by the clock of the summary's zone."""
PAGE: Final = 200
NO_CHAIN: Final = ""


@dataclass(frozen=True, slots=True)
class Times:
    """How many seconds something took: of how many alerts, the median, and 95 of 100."""

    many: int
    median: float | None
    most: float | None

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Times:
        """Return what these come to."""
        found = sorted(seconds)
        return cls(len(found), _share(found, 0.5), _share(found, 0.95))

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it, in seconds."""
        return {"alerts": self.many, "median": self.median, "p95": self.most}


@dataclass(frozen=True, slots=True)
class ChainSummary:
    """What the alerts of one chain came to. Those that a bundle tells of count in it as well."""

    alerts: int
    by_state: Mapping[AlertState, int]
    bundles: int
    to_ring: Times
    to_acknowledge: Times
    unreached: Mapping[AlertReason, int]
    calls: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        return {
            "alerts": self.alerts,
            "by_state": {str(state): many for state, many in self.by_state.items()},
            "bundles": self.bundles,
            "to_first_ring": self.to_ring.to_dict(),
            "to_acknowledge": self.to_acknowledge.to_dict(),
            "unreached": {str(reason): many for reason, many in self.unreached.items()},
            "calls": self.calls,
        }


@dataclass(frozen=True, slots=True)
class Called:
    """How often somebody was called, and how often of it at night."""

    calls: int
    at_night: int


@dataclass(frozen=True, slots=True)
class AlertSummary:
    """Of the alerts that were first reported from `since` on and before `until`."""

    since: datetime
    until: datetime
    zone: str
    whole: ChainSummary
    chains: Mapping[str, ChainSummary]
    people: Mapping[str, Called] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it, names masked where they hold a number."""
        return {
            "since": iso(self.since),
            "until": iso(self.until),
            "zone": self.zone,
            **self.whole.to_dict(),
            "chains": {mask_text(name): each.to_dict() for name, each in self.chains.items()},
            "people": {
                mask_text(name): {"calls": each.calls, "at_night": each.at_night}
                for name, each in self.people.items()
            },
        }


def summary(store: Store, since: datetime, until: datetime, zone: tzinfo) -> AlertSummary:
    """Return what the alerts of a span came to, as they stand now. Raises StoreUnavailable.

    Nights are those of the zone.
    """
    return summarise(_of_span(store, since, until), since, until, zone)


def summarise(
    alerts: Iterable[Alert], since: datetime, until: datetime, zone: tzinfo
) -> AlertSummary:
    """Return what these alerts came to."""
    found = list(alerts)
    chains = sorted({each.chain or NO_CHAIN for each in found})
    of_chain = {
        name: _chain([each for each in found if (each.chain or NO_CHAIN) == name])
        for name in chains
    }
    return AlertSummary(since, until, str(zone), _chain(found), of_chain, _people(found, zone))


def is_night(at: datetime, zone: tzinfo) -> bool:
    """Whether a moment is one at which people sleep."""
    clock = at.astimezone(zone).time()
    begins, ends = NIGHT
    return clock >= begins or clock < ends


def _of_span(store: Store, since: datetime, until: datetime) -> Iterator[Alert]:
    young = takewhile(lambda each: each.received_at >= since, _all(store))
    yield from (each for each in young if each.received_at < until)


def _all(store: Store) -> Iterator[Alert]:
    """Yield all alerts that are kept, the newest first."""
    cursor = None
    while True:
        page = store.alerts.page(limit=PAGE, cursor=cursor)
        yield from page.alerts
        cursor = page.cursor
        if cursor is None:
            return


def _chain(alerts: list[Alert]) -> ChainSummary:
    single = [each for each in alerts if not each.is_bundle]
    return ChainSummary(
        alerts=len(single),
        by_state=Counter(each.state for each in single),
        bundles=len(alerts) - len(single),
        to_ring=Times.of(
            _seconds(each.received_at, each.rung_at) for each in alerts if each.rung_at
        ),
        to_acknowledge=Times.of(
            _seconds(each.received_at, each.acknowledged_at)
            for each in alerts
            if each.acknowledged_at and each.told_by is None
        ),
        unreached=Counter(
            each.reason for each in single if each.state is AlertState.UNREACHED and each.reason
        ),
        calls=sum(call.job_id is not None for each in alerts for call in each.calls),
    )


def _people(alerts: list[Alert], zone: tzinfo) -> dict[str, Called]:
    made = [call for each in alerts for call in each.calls if call.job_id is not None]
    calls = Counter(call.contact for call in made)
    nights = Counter(call.contact for call in made if is_night(call.at, zone))
    return {name: Called(many, nights[name]) for name, many in calls.most_common()}


def _seconds(since: datetime, until: datetime | None) -> float:
    return max(0.0, (until - since).total_seconds()) if until else 0.0


def _share(ordered: list[float], share: float) -> float | None:
    """Return the value that this share does not exceed (nearest rank)."""
    if not ordered:
        return None
    place = max(0, -int(-share * len(ordered) // 1) - 1)
    return round(ordered[place], 3)
