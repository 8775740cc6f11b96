"""Who has an alert, or how it ended, in words."""

from __future__ import annotations

from datetime import datetime

from dispatcher.model.alert import OPEN, Alert, AlertState
from dispatcher.values.masking import mask_text


def has_it(alert: Alert) -> str:
    """Return who has an alert since when, in words."""
    how = (alert.acknowledged_how or "").replace("_", " ")
    by = mask_text(alert.acknowledged_by or "somebody")
    return f"{by} has it{since(alert.acknowledged_at)}{f', by {how}' if how else ''}"


def ended(alert: Alert) -> str:
    """Return in words that an alert has ended: who stopped it, or had it."""
    what = "cancelled" if alert.state is AlertState.CANCELLED else "resolved"
    who = f"; {has_it(alert)}" if alert.acknowledged_at else "; nobody had it"
    last = alert.timeline[-1].by if alert.timeline else ""
    by = f" by {mask_text(last)}" if last and what == "cancelled" else ""
    return f"alert {alert.id} has been {what}{by}{since(alert.ended_at)}{who}"


def is_open(alert: Alert) -> bool:
    """Whether somebody may still say that they have it."""
    return alert.state in OPEN


def since(at: datetime | None) -> str:
    """Return since when, in words that go on from others; '' where that is not known."""
    return f" since {at:%Y-%m-%d %H:%M:%S} UTC" if at else ""
