"""Alerts for tests of what people see and hear of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dispatcher.model.alert import Alert, AlertState, Severity

BEGAN = datetime(2026, 11, 28, 21, 30, 15, tzinfo=UTC)
ID = "0b5e6a7e-3c1f-5d52-9d3c-2f1a7b9c0d11"


def alert(**fields: Any) -> Alert:
    """Return an alert with these fields, and usual ones."""
    usual: dict[str, Any] = {
        "id": ID,
        "version": 1,
        "source": "alertmanager",
        "fingerprint": "f1",
        "state": AlertState.RINGING,
        "reason": None,
        "severity": Severity.CRITICAL,
        "summary": "Disk full on db1",
        "labels": {},
        "annotations": {},
        "link": None,
        "chain": "database",
        "started_at": BEGAN,
        "received_at": BEGAN,
        "heard_at": BEGAN,
        "reports": 1,
    }
    return Alert(**{**usual, **fields})
