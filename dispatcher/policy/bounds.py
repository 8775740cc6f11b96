"""What can be true of a report: nobody is believed what cannot have been."""

from __future__ import annotations

from dataclasses import replace

from dispatcher.model.call import CallReport

SLACK = 60.0
"""Seconds by which the provider's clock, and its rounding, may make a call seem longer."""


def possible(report: CallReport, since_request: float | None) -> CallReport:
    """Return a report without times that cannot be: no call lasted longer than the seconds that
    passed since its request; None where these are not known.
    """
    if since_request is None:
        return report
    most = since_request + SLACK
    if report.duration is not None and report.duration > most:
        report = replace(report, duration=None)
    if report.lasted is not None and report.lasted > most:
        report = replace(report, started_at=None, ended_at=None)
    return report
