"""Alerts that a program or a person reports in the dispatcher's own words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from dispatcher.alerts.sources import reading
from dispatcher.alerts.sources.severities import with_severity
from dispatcher.model.alert import AlertEvent, InvalidAlert, Severity

NAME: Final = "direct"


def event(
    summary: str,
    *,
    severity: str = Severity.CRITICAL,
    labels: Mapping[str, str] | None = None,
    key: str | None = None,
    resolved: bool = False,
    description: str = "",
    link: str | None = None,
    started_at: datetime | None = None,
) -> AlertEvent:
    """Return an alert. `key` is what it is known by, the same in each report: its summary unless
    given. `started_at` is aware; None: the open alert of that key, or a new one.

    Raises InvalidAlert: unlike monitoring, whoever writes this can be told what is wrong.
    """
    known_by = reading.fingerprint(key) or reading.fingerprint(summary)
    if not known_by:
        raise InvalidAlert("an alert needs a summary or a key: say in a line what is wrong")
    if started_at is not None and started_at.tzinfo is None:
        raise InvalidAlert(f"started_at is {started_at}, without a zone: give an aware moment")
    if link is not None and reading.link(link) is None:
        raise InvalidAlert("the link is no http or https address without spaces")
    worst = _severity(severity)
    return AlertEvent(
        source=NAME,
        fingerprint=known_by,
        firing=not resolved,
        summary=reading.text(summary, reading.LONGEST_SUMMARY),
        severity=worst,
        started_at=started_at,
        labels=with_severity(reading.words(dict(labels or {})), worst),
        annotations=reading.words({"description": description}),
        link=link,
    )


def _severity(given: str) -> Severity:
    try:
        return Severity(given.lower())
    except ValueError:
        known = ", ".join(Severity)
        raise InvalidAlert(f"{given[:40]!r} is no severity: use one of {known}") from None
