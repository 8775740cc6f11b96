"""Alerts in a store, for tests of what people see of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dispatcher.model.alert import AlertEvent, AlertReason, AlertState
from dispatcher.model.alert_change import AlertChange, PlannedCall
from dispatcher.model.on_call import Chain, Step
from dispatcher.model.request import JobRequest
from dispatcher.store import Store
from dispatcher.store.alert_values import AlertRow
from support.alerts import BEGAN

CHAIN = Chain(steps=(Step(call=("ann",)), Step(call=("bob",))), repeat=1)
ANN = "+818012340002"


def event(fingerprint: str = "f1", **fields: Any) -> AlertEvent:
    """Return what monitoring says of an alert that began at BEGAN."""
    usual: dict[str, Any] = {
        "source": "alertmanager",
        "fingerprint": fingerprint,
        "firing": True,
        "summary": "Disk full on db1",
        "started_at": BEGAN,
        "labels": {"alertname": "DiskFull", "instance": "db1:9100"},
    }
    return AlertEvent(**{**usual, **fields})


def reported(store: Store, *events: AlertEvent, chain: str | None = "database") -> list[str]:
    """Report alerts whose chain is `database`; return their ids."""
    rows = [AlertRow(each, chain, CHAIN if chain else None) for each in events or (event(),)]
    return [each.id for each in store.alerts.record(rows, actor="monitoring")]


def unreached(store: Store, id_: str, reason: AlertReason = AlertReason.NOBODY_ANSWERED) -> None:
    """Have an alert's chain end without anybody."""
    change = AlertChange(1, 2, state=AlertState.UNREACHED, reason=reason)
    assert store.alerts.advance(id_, store.alerts.get(id_).version, change)


def called(store: Store, id_: str, contact: str = "ann", number: str = ANN) -> str:
    """Have an alert's chain call somebody; return the job's id."""
    request = JobRequest.of({"recipient": number, "say": "Disk full", "priority": "urgent"})
    alert = store.alerts.get(id_)
    planned = PlannedCall(alert.last_call + 1, contact, request)
    change = AlertChange(1, 1, calls=(planned,), next_at=BEGAN + timedelta(days=3650))
    assert store.alerts.advance(id_, alert.version, change)
    job_id = store.alerts.get(id_).calls[-1].job_id
    assert job_id
    return job_id
