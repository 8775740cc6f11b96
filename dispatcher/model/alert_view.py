"""An alert as JSON knows it: for the command line, the HTTP API and webhooks."""

from __future__ import annotations

from typing import Any

from dispatcher.model.alert import Alert, AlertCall, TimelineLine
from dispatcher.model.job import iso
from dispatcher.values.masking import mask_all

_OWN = frozenset({"id", "told_by", "job_id"})
"""Names whose values are ids of ours: never a telephone number, whatever their digits."""


def view(alert: Alert, *, mask: bool = True, whole: bool = True) -> dict[str, Any]:
    """Return an alert; `mask` hides telephone numbers in all that others wrote.

    `whole`: with its calls and its timeline, which lists leave out.
    """
    found = {
        "id": alert.id,
        "state": alert.state,
        "reason": alert.reason,
        "severity": alert.severity,
        "summary": alert.summary,
        "source": alert.source,
        "chain": alert.chain,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "link": alert.link,
        "fingerprint": alert.fingerprint,
        **_moments(alert),
        "acknowledged_by": alert.acknowledged_by,
        "acknowledged_how": alert.acknowledged_how,
        "reports": alert.reports,
        "told_by": alert.told_by,
        "members": alert.members,
        "firing_members": alert.firing_members,
        "round": alert.round,
        "step": alert.step,
        **({"calls": [_call(each) for each in alert.calls]} if whole else {}),
        **({"timeline": [_line(each) for each in alert.timeline]} if whole else {}),
    }
    return masked(found) if mask else found


def masked(found: dict[str, Any]) -> dict[str, Any]:
    """Return what is told of an alert with telephone numbers masked."""
    return {
        name: value
        if name in _OWN
        else [masked(each) for each in value]
        if name in {"calls", "timeline", "alerts"}
        else mask_all(value)
        for name, value in found.items()
    }


def _moments(alert: Alert) -> dict[str, str | None]:
    names = ("started", "received", "heard", "rung", "acknowledged", "ended", "next")
    return {f"{name}_at": iso(getattr(alert, f"{name}_at")) for name in names}


def _call(call: AlertCall) -> dict[str, Any]:
    return {
        "number": call.number,
        "contact": call.contact,
        "round": call.round,
        "step": call.step,
        "at": iso(call.at),
        "job_id": call.job_id,
        "skipped": call.skipped,
    }


def _line(line: TimelineLine) -> dict[str, Any]:
    return {"at": iso(line.at), "what": line.what, "by": line.by}
