"""Any program that sends JSON: as docs/how-to/alerts.md has it, or with a mapping in the query."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final

from dispatcher.alerts.sources import mapping, reading
from dispatcher.alerts.sources.reading import Asked, Reading
from dispatcher.alerts.sources.severities import LABEL, severity_of, with_severity
from dispatcher.model.alert import AlertEvent, InvalidAlert

NAME: Final = "generic"
ALERTS: Final = "alerts"
PARTS: Final = (
    "id",
    "summary",
    "severity",
    "firing",
    "started_at",
    "labels",
    "description",
    "link",
)
"""What is read of an alert: of the field of this name, unless an expression says where it is."""
_FIRING_WORDS: Final = (
    "true 1 yes firing alerting alert triggered trigger down problem open active failed failing"
    " failure critical error warning"
)
_OVER_WORDS: Final = (
    "false 0 no resolved resolve ok up closed close recovered recovery healthy normal inactive"
    " success passed"
)
_FIRING, _OVER = frozenset(_FIRING_WORDS.split()), frozenset(_OVER_WORDS.split())


def read(body: Any, asked: Asked) -> Reading:
    """Return the alerts of a body: those of its list, or else the body itself.

    Raises InvalidAlert.
    """
    query = asked.query
    for part, expression in query.items():
        mapping.compiled(part, expression)
    one = partial(_alert, query=query)
    if ALERTS in query:
        return reading.read_each(mapping.find(ALERTS, query[ALERTS], body), ALERTS, one)
    if isinstance(body, dict) and not query and ALERTS in body:
        return reading.read_each(body[ALERTS], ALERTS, one)
    found = reading.read_each([body], ALERTS, one)
    if found.refused:
        raise InvalidAlert(found.refused[0].why)
    return found


def _alert(given: Any, *, query: Mapping[str, str]) -> AlertEvent:
    found = {part: _part(part, given, query) for part in PARTS}
    summary = reading.text(found["summary"], reading.LONGEST_SUMMARY)
    known_by = reading.fingerprint(found["id"]) or reading.fingerprint(summary)
    if not known_by:
        raise InvalidAlert(
            "it has no id and no summary: nothing says which alert it is; `?id=…` names the field"
        )
    labels = reading.words(found["labels"])
    given_severity = found["severity"] if found["severity"] is not None else labels.get(LABEL)
    severity = severity_of(given_severity)
    return AlertEvent(
        source=NAME,
        fingerprint=known_by,
        firing=_firing(found["firing"]),
        summary=summary,
        severity=severity,
        started_at=_started(found["started_at"]),
        labels=with_severity(labels, severity),
        annotations=reading.words({"description": found["description"]}),
        link=reading.link(found["link"]),
    )


def _part(part: str, given: Any, query: Mapping[str, str]) -> Any:
    if part in query:
        return mapping.find(part, query[part], given)
    return given.get(part) if isinstance(given, dict) else None


def _firing(given: Any) -> bool:
    """Return whether it fires; what says nothing of it does."""
    if given is None or isinstance(given, bool):
        return given is not False
    word = reading.text(given, 40).lower()
    if word in _FIRING or word in _OVER:
        return word in _FIRING
    raise InvalidAlert(
        f"firing is {word!r}: it must be true or false, or a word such as firing or resolved;"
        " with `?firing=state=='bad'` an expression decides"
    )


def _started(given: Any) -> datetime | None:
    found = reading.moment(given)
    if found is None and given is not None:
        shown = reading.text(given, 40)
        raise InvalidAlert(
            f"started_at is {shown!r}: write ISO 8601 with a zone, or seconds since the epoch"
        )
    return found
