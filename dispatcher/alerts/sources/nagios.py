"""Nagios and Icinga, whose notification commands give their macros to the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dispatcher.alerts.sources import reading
from dispatcher.alerts.sources.severities import with_severity
from dispatcher.model.alert import AlertEvent, InvalidAlert, Severity

NAME: Final = "nagios"
_OVER: Final = frozenset({"OK", "UP"})
_SEVERITIES: Final = {
    "CRITICAL": Severity.CRITICAL,
    "DOWN": Severity.CRITICAL,
    "UNREACHABLE": Severity.ERROR,
    "UNKNOWN": Severity.ERROR,
    "WARNING": Severity.WARNING,
}
_CALLING: Final = frozenset({"", "PROBLEM", "RECOVERY", "CUSTOM"})
"""Types of notifications that are read; others tell of acknowledgements, downtimes, flapping."""


@dataclass(frozen=True, slots=True)
class Notification:
    """What the macros say: `$HOSTNAME$`, `$SERVICEDESC$` ('' for the host itself),
    `$SERVICESTATE$` or `$HOSTSTATE$`, the plugin's output, and `$NOTIFICATIONTYPE$`.
    """

    host: str
    state: str
    service: str = ""
    text: str = ""
    type: str = ""


def read(told: Notification) -> AlertEvent | None:
    """Return the alert; None for a notification that calls for nothing. Raises InvalidAlert."""
    kind, state = told.type.strip().upper(), told.state.strip().upper()
    if kind not in _CALLING:
        return None
    if state not in _OVER and state not in _SEVERITIES:
        known = ", ".join([*_SEVERITIES, *sorted(_OVER)])
        raise InvalidAlert(f"the state is {reading.text(state, 40)!r}: it must be one of {known}")
    host, service = reading.text(told.host), reading.text(told.service)
    if not host:
        raise InvalidAlert("the host has no name: give $HOSTNAME$")
    severity = _SEVERITIES.get(state, Severity.CRITICAL)
    own = {"host": host, "service": service, "state": state}
    return AlertEvent(
        source=NAME,
        fingerprint=reading.fingerprint(f"{host} / {service}"),
        firing=state not in _OVER,
        summary=reading.text(_summary(host, service, state), reading.LONGEST_SUMMARY),
        severity=severity,
        labels=with_severity(reading.words(own), severity),
        annotations=reading.words({"description": told.text}),
    )


def _summary(host: str, service: str, state: str) -> str:
    return f"{service} on {host} is {state.lower()}" if service else f"{host} is {state.lower()}"
