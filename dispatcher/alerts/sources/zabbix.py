"""Zabbix, by the media type docs/examples/zabbix-media-type.yaml: a problem began or is over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from dispatcher.alerts.sources import reading
from dispatcher.alerts.sources.reading import Asked, Reading
from dispatcher.alerts.sources.severities import with_severity
from dispatcher.model.alert import AlertEvent, InvalidAlert, Severity

NAME: Final = "zabbix"
_STATES: Final = {"1": True, "0": False}
_SEVERITIES: Final = {
    "5": Severity.CRITICAL,  # disaster
    "4": Severity.ERROR,  # high
    "3": Severity.WARNING,  # average
    "2": Severity.WARNING,
    "1": Severity.INFO,
    "0": Severity.WARNING,  # not classified
}


def read(body: Any, _: Asked) -> Reading:
    """Return what happened to a problem. Raises InvalidAlert."""
    fields = {name: _known(value) for name, value in reading.fields_of(body).items()}
    if fields.get("update") == "1":  # somebody commented on it, or changed it
        return Reading(ignored=1)
    value = reading.text(fields.get("value"), 40)
    if value not in _STATES:
        raise InvalidAlert(f"value is {value!r}, and must be 1 (a problem) or 0 (it is over)")
    event_id = reading.fingerprint(fields.get("event_id"))
    if not event_id:
        raise InvalidAlert("there is no event_id: the media type sends {EVENT.ID} as event_id")
    return Reading((_problem(fields, event_id, _STATES[value]),))


def _known(given: Any) -> Any:
    """Return a value; None for a macro that Zabbix did not fill."""
    macro = isinstance(given, str) and given.startswith("{") and given.endswith("}")
    unknown = given == "*UNKNOWN*" or (macro and given.isupper())
    return None if unknown else given


def _problem(fields: Mapping[str, Any], event_id: str, firing: bool) -> AlertEvent:
    severity = _SEVERITIES.get(reading.text(fields.get("severity")), Severity.CRITICAL)
    host = reading.text(fields.get("host"))
    name = reading.text(fields.get("name"), reading.LONGEST_SUMMARY)
    return AlertEvent(
        source=NAME,
        fingerprint=event_id,
        firing=firing,
        summary=name or f"Problem on {host or 'a host without a name'}",
        severity=severity,
        started_at=_started(fields.get("timestamp")),
        labels=with_severity(_labels(fields, host), severity),
        annotations=reading.words({"description": fields.get("opdata")}),
        link=reading.link(fields.get("url")),
    )


def _started(given: Any) -> Any:
    """Return when the problem began: seconds since the epoch; older releases send none."""
    plain = reading.text(given, 40)
    return reading.moment(int(plain)) if plain.isascii() and plain.isdecimal() else None


def _labels(fields: Mapping[str, Any], host: str) -> dict[str, str]:
    own = {"host": host, "trigger": fields.get("trigger_id")}
    return reading.words({**_tags(fields.get("tags")), **own})


def _tags(given: Any) -> dict[str, Any]:
    """Return the event's tags, which come as a list of names and values, in JSON or as a text."""
    try:
        found = json.loads(given) if isinstance(given, str) else given
    except (ValueError, RecursionError):
        return {}
    tags = [tag for tag in found if isinstance(tag, dict)] if isinstance(found, list) else []
    return {str(tag.get("tag")): tag.get("value") or "yes" for tag in tags}
