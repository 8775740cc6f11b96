"""Alerts for the store's tests: reports of them, and steps of their chains."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from dispatcher.model.alert import Alert, AlertEvent, Severity
from dispatcher.model.alert_change import AlertChange, PlannedCall
from dispatcher.model.on_call import Chain, Step
from dispatcher.model.request import JobRequest
from dispatcher.store import Store
from dispatcher.store.alert_values import AlertRow, Recorded

START = datetime(2026, 11, 28, 21, 30, tzinfo=UTC)
ANN, BOB = "+818012340002", "+818012340001"


def chain(**fields: Any) -> Chain:
    """Return a chain that calls ann, with these rules."""
    return Chain(**{"steps": (Step(call=("ann",)),), **fields})


def firing(fingerprint: str = "f1", /, **fields: Any) -> AlertEvent:
    """Return what monitoring says of an alert that began at START."""
    usual: dict[str, Any] = {
        "source": "alertmanager",
        "firing": True,
        "summary": f"{fingerprint} is full",
        "severity": Severity.ERROR,
        "started_at": START,
    }
    return AlertEvent(**{**usual, "fingerprint": fingerprint, **fields})


def resolved(fingerprint: str = "f1", /, **fields: Any) -> AlertEvent:
    return firing(fingerprint, **{"firing": False, **fields})


def to_chain(event: AlertEvent, name: str = "database", **rules: Any) -> AlertRow:
    """Return a report that leads to a chain of these rules."""
    return AlertRow(event, name, chain(**rules))


def record(store: Store, *events: AlertEvent, **rules: Any) -> list[Recorded]:
    """Record reports of one body, all of which lead to one chain."""
    return store.alerts.record([to_chain(event, **rules) for event in events], actor="am")


def ring(store: Store, fingerprint: str = "f1", **fields: Any) -> Alert:
    """Record an alert that rings, and return it."""
    (made,) = record(store, firing(fingerprint, **fields))
    return store.alerts.get(made.id)


def call_request(number: str = ANN, **fields: Any) -> JobRequest:
    return JobRequest.of(
        {
            "recipient": number,
            "say": "Disk full on db1",
            "priority": "urgent",
            "redial": 0,
            "on_uncertain": "hold",
            **fields,
        }
    )


def call(store: Store, alert_id: str, *numbers: str, **change: Any) -> str:
    """Have the chain call these numbers, and return the id of the first one's job."""
    alert = store.alerts.get(alert_id)
    planned = tuple(
        PlannedCall(alert.last_call + place, f"contact{place}", call_request(number))
        for place, number in enumerate(numbers or (ANN,), 1)
    )
    step = {"round": 1, "step": 0, "calls": planned, "next_at": soon(store), **change}
    assert store.alerts.advance(alert.id, alert.version, AlertChange(**step))
    made = store.alerts.get(alert.id).calls[alert.last_call]
    assert made.job_id is not None
    return made.job_id


def soon(store: Store, seconds: float = 30) -> datetime:
    return datetime.fromtimestamp(store.now() / 1000, UTC) + timedelta(seconds=seconds)
