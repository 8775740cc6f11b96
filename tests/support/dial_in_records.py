"""Records of alerts in memory, for what is said to people who call back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from dispatcher.alerts.dial_in import DialIns, Records
from dispatcher.model.alert import OPEN, Acknowledgement, Alert, AlertState
from dispatcher.model.on_call import Contact, OnCall
from dispatcher.store.errors import StoreUnavailable
from support.alerts import BEGAN

ANN, ANNS_OTHER, BOB, STRANGER = (f"+8180123400{n:02}" for n in (1, 2, 3, 4))
ON_CALL = OnCall(
    contacts={
        "ann": Contact(numbers=(ANN, ANNS_OTHER), lang="en"),
        "bob": Contact(numbers=(BOB,), lang="ja"),
    }
)


@dataclass(frozen=True)
class Acted:
    done: bool
    alert: Alert


@dataclass
class Remembered:
    """`rang` are the alerts that called a number, the latest first; `away`: Redis is."""

    rang: dict[str, list[Alert]] = field(default_factory=dict)
    on_call: OnCall | None = ON_CALL
    now: datetime = BEGAN + timedelta(minutes=3)
    away: bool = False
    answer_lost: bool = False
    """What is acknowledged is written, and its answer lost."""
    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    meanwhile: Alert | None = None
    """How the alert stands when it is acknowledged, where somebody was quicker."""

    def dial_ins(self, **options: str) -> DialIns:
        records = Records(
            lambda: self._here() or self.on_call,
            self.rings_for,
            self.acknowledge,
            lambda: self._here() or self.now,
        )
        return DialIns(records, **{"lang": "en", **options})

    def rings_for(self, number: str) -> Sequence[Alert]:
        self._here()
        return self.rang.get(number, [])

    def acknowledge(self, id_: str, by: str) -> Acted:
        self._here()
        self.acknowledged.append((id_, by))
        found = self.meanwhile or next(
            alert for alerts in self.rang.values() for alert in alerts if alert.id == id_
        )
        if found.state not in OPEN or found.state is AlertState.ACKNOWLEDGED:
            return Acted(False, found)
        theirs = replace(
            found,
            state=AlertState.ACKNOWLEDGED,
            acknowledged_by=by,
            acknowledged_how=Acknowledgement.DIAL_IN,
            acknowledged_at=self.now,
        )
        for number, alerts in self.rang.items():
            self.rang[number] = [theirs if each.id == id_ else each for each in alerts]
        if self.answer_lost:
            raise StoreUnavailable("the answer was lost")
        return Acted(True, theirs)

    def _here(self) -> None:
        if self.away:
            raise StoreUnavailable("Redis is away")
