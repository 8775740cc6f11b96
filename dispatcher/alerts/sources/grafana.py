"""Grafana's webhook: that of its alerting, in Alertmanager's form, and that of before release 9."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dispatcher.alerts.sources import reading
from dispatcher.alerts.sources.alertmanager import read_group
from dispatcher.alerts.sources.reading import Asked, Reading
from dispatcher.alerts.sources.severities import LABEL, severity_of, with_severity
from dispatcher.model.alert import AlertEvent, InvalidAlert

NAME: Final = "grafana"
_STATES: Final = {"alerting": True, "no_data": True, "ok": False}
_CALL_FOR_NOTHING: Final = frozenset({"paused", "pending", "unknown"})


def read(body: Any, _: Asked) -> Reading:
    """Return the alerts that Grafana reports. Raises InvalidAlert."""
    fields = reading.fields_of(body)
    if "alerts" in fields or "ruleId" not in fields:
        return read_group(fields, NAME)
    return _of_a_rule(fields)


def _of_a_rule(fields: Mapping[str, Any]) -> Reading:
    """Read what releases before 9 send: one rule and its state."""
    state = reading.text(fields.get("state"), 40)
    if state in _CALL_FOR_NOTHING:
        return Reading(ignored=1)
    if state not in _STATES:
        raise InvalidAlert(f"its state is {state!r}, and must be alerting, no_data or ok")
    labels = reading.words(fields.get("tags"))
    severity = severity_of(labels.get(LABEL))
    name = reading.text(fields.get("ruleName"), reading.LONGEST_SUMMARY)
    event = AlertEvent(
        source=NAME,
        fingerprint=f"rule {reading.fingerprint(fields['ruleId'])}",
        firing=_STATES[state],
        summary=reading.text(fields.get("message"), reading.LONGEST_SUMMARY) or name,
        severity=severity,
        labels=with_severity({"alertname": name, **labels}, severity),
        link=reading.link(fields.get("ruleUrl")),
    )
    return Reading((event,))
