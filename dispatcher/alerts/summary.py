"""What alerts came to in a span of time: how many, how soon somebody had them, who was called."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, tzinfo
from functools import partial
from itertools import takewhile
from types import MappingProxyType
from typing import Any, Final

from dispatcher.model.alert import DRILL, Alert, AlertCall, AlertReason, AlertState
from dispatcher.model.job import iso
from dispatcher.store import Store
from dispatcher.values.masking import mask_text
from dispatcher.values.zones import zone as zone_of

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
    """What the alerts of one chain came to. Those that a bundle tells of count as well, drills only
    among the calls.
    """

    alerts: int
    by_state: Mapping[AlertState, int]
    bundles: int
    drills: int
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
            "drills": self.drills,
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

    Nights are those of each contact's own zone, or else of `zone`.
    """
    on_call = store.on_call.in_force()
    contacts = on_call.contacts.items() if on_call else ()
    zones = {name: zone_of(each.zone) for name, each in contacts if each.zone}
    return summarise(_of_span(store, since, until), since, until, zone, zones)


def summarise(
    alerts: Iterable[Alert],
    since: datetime,
    until: datetime,
    zone: tzinfo,
    zones: Mapping[str, tzinfo] = MappingProxyType({}),
) -> AlertSummary:
    """Return what these alerts came to; each is looked at once, and none is kept.

    `zones` are those of contacts whose own is known.
    """
    nights = partial(_is_night_of, zone=zone, zones=zones)
    whole, chains = _Tally(nights), defaultdict[str, _Tally](lambda: _Tally(nights))
    for each in alerts:
        whole.add(each)
        chains[each.chain or NO_CHAIN].add(each)
    of_chain = {name: chains[name].summary() for name in sorted(chains)}
    return AlertSummary(since, until, str(zone), whole.summary(), of_chain, whole.people())


def is_night(at: datetime, zone: tzinfo) -> bool:
    """Whether a moment is one at which people sleep."""
    clock = at.astimezone(zone).time()
    begins, ends = NIGHT
    return clock >= begins or clock < ends


def _is_night_of(call: AlertCall, zone: tzinfo, zones: Mapping[str, tzinfo]) -> bool:
    return is_night(call.at, zones.get(call.contact, zone))


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


class _Tally:
    """Counts alerts, those of one chain or all."""

    def __init__(self, at_night: Callable[[AlertCall], bool]) -> None:
        self._at_night = at_night
        self._states, self._reasons = Counter[AlertState](), Counter[AlertReason]()
        self._calls, self._nights = Counter[str](), Counter[str]()
        self._to_ring, self._to_acknowledge = array("d"), array("d")
        self._bundles = self._drills = 0

    def add(self, alert: Alert) -> None:
        """Count an alert."""
        if alert.source == DRILL:
            self._drills += 1
        else:
            self._count(alert)
        for call in alert.calls:
            if call.job_id is not None:
                self._calls[call.contact] += 1
                self._nights[call.contact] += self._at_night(call)

    def _count(self, alert: Alert) -> None:
        if alert.is_bundle:
            self._bundles += 1
        else:
            self._states[alert.state] += 1
            if alert.state is AlertState.UNREACHED and alert.reason:
                self._reasons[alert.reason] += 1
        if alert.rung_at:
            self._to_ring.append(_seconds(alert.received_at, alert.rung_at))
        if alert.acknowledged_at and alert.told_by is None:
            began = alert.began_at or alert.received_at
            self._to_acknowledge.append(_seconds(began, alert.acknowledged_at))

    def summary(self) -> ChainSummary:
        """Return what they came to."""
        return ChainSummary(
            alerts=self._states.total(),
            by_state=self._states,
            bundles=self._bundles,
            drills=self._drills,
            to_ring=Times.of(self._to_ring),
            to_acknowledge=Times.of(self._to_acknowledge),
            unreached=self._reasons,
            calls=self._calls.total(),
        )

    def people(self) -> dict[str, Called]:
        """Return who was called, the most often first."""
        most = self._calls.most_common()
        return {name: Called(many, self._nights[name]) for name, many in most}


def _seconds(since: datetime, until: datetime) -> float:
    return max(0.0, (until - since).total_seconds())


def _share(ordered: list[float], share: float) -> float | None:
    """Return the value that this share does not exceed (nearest rank)."""
    if not ordered:
        return None
    place = max(0, -int(-share * len(ordered) // 1) - 1)
    return round(ordered[place], 3)
