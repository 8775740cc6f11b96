"""Alertmanager's webhook, version 4: a group of alerts, resolved ones among the firing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from dispatcher.alerts.sources import reading
from dispatcher.alerts.sources.reading import Asked, Reading, Refused
from dispatcher.alerts.sources.severities import LABEL, severity_of, with_severity
from dispatcher.model.alert import AlertEvent, InvalidAlert

NAME: Final = "alertmanager"
SUMMARIES: Final = ("summary", "message", "title", "description")
"""Annotations that say what is wrong, the shortest first."""
STATES: Final = {"firing": True, "resolved": False}


def read(body: Any, _: Asked) -> Reading:
    """Return the alerts of a group. Raises InvalidAlert."""
    return read_group(reading.fields_of(body), NAME)


def read_group(body: Mapping[str, Any], source: str) -> Reading:
    """Return the alerts of a body of this form, whichever program sent it. Raises InvalidAlert."""
    one = partial(_alert, source=source, otherwise=body.get("status"))
    found = reading.read_each(body.get("alerts"), "alerts", one)
    left_out = body.get("truncatedAlerts")
    if isinstance(left_out, bool) or not isinstance(left_out, int) or left_out < 1:
        return found
    why = f"{left_out} alerts of the group were left out by max_alerts: take that setting away"
    return Reading(found.events, (*found.refused, Refused(None, why)), found.ignored)


def _alert(given: Any, *, source: str, otherwise: Any) -> AlertEvent:
    fields = reading.fields_of(given, "an alert")
    raw = fields.get("labels")
    labels, annotations = reading.words(raw), reading.words(fields.get("annotations"))
    severity = severity_of(labels.get(LABEL))
    return AlertEvent(
        source=source,
        fingerprint=reading.fingerprint(fields.get("fingerprint")) or reading.hash_of(raw),
        firing=_firing(fields.get("status", otherwise)),
        summary=reading.first(annotations, SUMMARIES) or name_of(labels),
        severity=severity,
        started_at=reading.moment(fields.get("startsAt")),
        labels=with_severity(labels, severity),
        annotations=annotations,
        link=reading.link(fields.get("generatorURL")),
    )


def _firing(status: Any) -> bool:
    if isinstance(status, str) and status in STATES:
        return STATES[status]
    shown = reading.text(status, 40)
    raise InvalidAlert(f"its status is {shown!r}, and must be firing or resolved")


def name_of(labels: Mapping[str, str]) -> str:
    """Return what an alert is called that says nothing of itself."""
    what = labels.get("alertname", "")
    where = labels.get("instance") or labels.get("host") or labels.get("job") or ""
    return " on ".join(filter(None, (what, where)))
