"""Uptime Kuma's webhook, with the body preset `application/json`: a monitor went down or up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from dispatcher.alerts.sources import reading
from dispatcher.alerts.sources.reading import Asked, Reading
from dispatcher.alerts.sources.severities import LABEL, severity_of, with_severity
from dispatcher.model.alert import AlertEvent, InvalidAlert, Severity

NAME: Final = "uptime-kuma"
_STATES: Final = {0: True, 1: False}
_CALL_FOR_NOTHING: Final = frozenset({2, 3})
"""Pending, and under maintenance."""
_TEST: Final = " Testing"
"""What the message of the button *Test* ends with, after the name of the notification."""


def read(body: Any, asked: Asked) -> Reading:
    """Return what happened to a monitor, or the message that belongs to none.

    Raises InvalidAlert.
    """
    fields = reading.fields_of(body)
    beat, monitor = fields.get("heartbeat"), fields.get("monitor")
    if beat is None:
        return _message(reading.text(fields.get("msg"), reading.LONGEST_SUMMARY), asked.now)
    status = reading.fields_of(beat, "heartbeat").get("status")
    if status in _CALL_FOR_NOTHING:
        return Reading(ignored=1)
    if isinstance(status, bool) or status not in _STATES:
        shown = reading.text(status, 40)
        raise InvalidAlert(f"heartbeat.status is {shown!r}, and must be 0 (down) or 1 (up)")
    return Reading((_monitor(reading.fields_of(monitor or {}, "monitor"), beat, _STATES[status]),))


def _monitor(monitor: Mapping[str, Any], beat: Mapping[str, Any], firing: bool) -> AlertEvent:
    number = reading.fingerprint(monitor.get("id", beat.get("monitorID")))
    if not number:
        raise InvalidAlert("the monitor has no id: send the body as Uptime Kuma makes it")
    labels = _labels(monitor)
    severity = severity_of(labels.get(LABEL))
    name = labels.get("monitor", f"monitor {number}")
    return AlertEvent(
        source=NAME,
        fingerprint=f"monitor {number}",
        firing=firing,
        summary=reading.text(f"{name} is down", reading.LONGEST_SUMMARY),
        severity=severity,
        labels=with_severity(labels, severity),
        annotations=reading.words({"description": beat.get("msg")}),
        link=reading.link(monitor.get("url")),
    )


def _labels(monitor: Mapping[str, Any]) -> dict[str, str]:
    tags = monitor.get("tags")
    named = [tag for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
    given = {str(tag.get("name")): tag.get("value") or "yes" for tag in named}
    own = {"monitor": monitor.get("name"), "type": monitor.get("type")}
    return reading.words({**given, **own, "hostname": monitor.get("hostname")})


def _message(message: str, now: datetime) -> Reading:
    """Return the alert of a message without a monitor: a test, or a certificate that ends soon."""
    if not message:
        raise InvalidAlert("there is no heartbeat, and no msg: nothing says what happened")
    test = message.endswith(_TEST)
    severity = Severity.INFO if test else Severity.WARNING
    event = AlertEvent(
        source=NAME,
        fingerprint="test" if test else f"message {reading.hash_of(message)}",
        firing=True,
        summary=message,
        severity=severity,
        started_at=now if test else None,  # each test rings
        labels=with_severity({"test": "yes"} if test else {}, severity),
        repeats=False,
    )
    return Reading((event,))
