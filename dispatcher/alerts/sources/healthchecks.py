"""Healthchecks: its webhook, with the body that it is documented with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dispatcher.alerts.sources import reading
from dispatcher.alerts.sources.reading import Asked, Reading
from dispatcher.alerts.sources.severities import LABEL, severity_of, with_severity
from dispatcher.model.alert import AlertEvent, InvalidAlert

NAME: Final = "healthchecks"
_STATES: Final = {"down": True, "up": False}
_CALL_FOR_NOTHING: Final = frozenset({"new", "started", "grace", "paused"})
_TEST: Final = "TEST"
"""The name of the check that its button *Send test notification* tells of."""


def read(body: Any, asked: Asked) -> Reading:
    """Return what happened to a check. Raises InvalidAlert."""
    fields = reading.fields_of(body)
    status = reading.text(fields.get("status"), 40)
    if status in _CALL_FOR_NOTHING:
        return Reading(ignored=1)
    if status not in _STATES:
        raise InvalidAlert(f"status is {status!r}, and must be down or up")
    code = reading.fingerprint(fields.get("code"))
    if not code:
        raise InvalidAlert("there is no code: send $CODE as code")
    return Reading((_check(fields, code, _STATES[status], asked),))


def _check(fields: Mapping[str, Any], code: str, firing: bool, asked: Asked) -> AlertEvent:
    name = reading.text(fields.get("name"), reading.LONGEST_SUMMARY) or "A check without a name"
    labels = _labels(fields, name)
    severity = severity_of(labels.get(LABEL))
    return AlertEvent(
        source=NAME,
        fingerprint=code,
        firing=firing,
        summary=reading.text(f"{name} is down", reading.LONGEST_SUMMARY),
        severity=severity,
        started_at=asked.now if name == _TEST else None,  # each test rings
        labels=with_severity(labels, severity),
        repeats=False,
    )


def _labels(fields: Mapping[str, Any], name: str) -> dict[str, str]:
    """Return the check's tags as labels: `severity=warning` has its value, a bare one `yes`."""
    tags = [each.partition("=") for each in reading.text(fields.get("tags")).split()]
    return reading.words({tag: value or "yes" for tag, _, value in tags} | {"check": name})
