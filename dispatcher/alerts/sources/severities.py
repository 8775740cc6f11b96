"""How bad an alert is, in the words that monitoring programs and their users have for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dispatcher.alerts.sources.reading import text
from dispatcher.model.alert import Severity

LABEL = "severity"
"""The label that routes go by: an alert that has none is given it."""

_WORDS: Mapping[Severity, str] = {
    Severity.CRITICAL: "critical crit page disaster emergency emerg fatal alert p1 sev1 down",
    Severity.ERROR: "error err high major p2 sev2",
    Severity.WARNING: "warning warn average medium moderate minor p3 sev3 unknown",
    Severity.INFO: "info information informational notice low none debug ok p4 p5 sev4 sev5",
}
_KNOWN = {word: severity for severity, all_ in _WORDS.items() for word in all_.split()}


def severity_of(given: Any) -> Severity:
    """Return the severity that a word means; one that is not known, or none, is critical: it is
    better to be called for nothing than not to be called.
    """
    return _KNOWN.get(text(given).lower(), Severity.CRITICAL)


def with_severity(labels: Mapping[str, str], severity: Severity) -> dict[str, str]:
    """Return labels that name the severity; the source's own word stays."""
    return {LABEL: severity.value, **labels}
