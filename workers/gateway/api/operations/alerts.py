"""The operations of alerts."""

from __future__ import annotations

from dispatcher.model.alert import AlertState
from workers.gateway.api import problem_examples
from workers.gateway.api.operations.jobs import A_CURSOR
from workers.gateway.api.operations.operation import answer, body_of, operation
from workers.gateway.api.problem_examples import ALERT_ID, JOB_ID
from workers.gateway.api.schema_words import NOTE, object_, ref, text

_ALERT = {
    "id": ALERT_ID,
    "state": "ringing",
    "reason": None,
    "severity": "critical",
    "summary": "Disk full on db1",
    "source": "alertmanager",
    "chain": "database",
    "labels": {"alertname": "DiskFull", "instance": "db1:9100", "severity": "critical"},
    "annotations": {"summary": "Disk full on db1"},
    "link": "https://example.com/graph",
    "fingerprint": "b2e1c7f0a9d3e415",
    "started_at": "2026-11-23T10:02:00.000Z",
    "received_at": "2026-11-23T10:02:11.020Z",
    "heard_at": "2026-11-23T10:02:11.020Z",
    "rung_at": "2026-11-23T10:02:11.310Z",
    "acknowledged_at": None,
    "ended_at": None,
    "next_at": "2026-11-23T10:04:11.310Z",
    "acknowledged_by": None,
    "acknowledged_how": None,
    "reports": 1,
    "told_by": None,
    "members": 0,
    "firing_members": 0,
    "round": 1,
    "step": 1,
}
_TAKEN = {
    **_ALERT,
    "state": "acknowledged",
    "acknowledged_at": "2026-11-23T10:03:02.100Z",
    "acknowledged_by": "api:ops",
    "acknowledged_how": "http",
    "next_at": None,
}
_DISK = "Disk full on db1"
_STOPPED = {**_ALERT, "state": "cancelled", "ended_at": "2026-11-23T10:03:02.100Z", "next_at": None}
_WHOLE = {
    **_ALERT,
    "calls": [
        {
            "number": 1,
            "contact": "ann",
            "round": 1,
            "step": 1,
            "at": "2026-11-23T10:02:11.020Z",
            "job_id": JOB_ID,
            "skipped": None,
            "became": "rings, or is talked on",
            "state": "in_progress",
            "recipient": "+8180****0002",
            "finished_at": None,
        }
    ],
    "timeline": [
        {"at": "2026-11-23T10:02:11.020Z", "what": "reported as firing", "by": "monitoring"}
    ],
    "why": "the chain database is under way (round 1, step 1); the call to ann rings, or is talked"
    " on; unless somebody has it, it goes on in 2 min (10:04:11 UTC)",
    "alerts": [],
}
_TIMES = {"alerts": 12, "median": 1.4, "p95": 2.9}
_OF_CHAIN = {
    "alerts": 14,
    "by_state": {"resolved": 13, "unreached": 1},
    "bundles": 1,
    "drills": 1,
    "to_first_ring": _TIMES,
    "to_acknowledge": {"alerts": 11, "median": 48.0, "p95": 210.5},
    "unreached": {"nobody_answered": 1},
    "calls": 21,
}
_DONE = {"done": {"type": "boolean", "description": "`false`: there was nothing to do."}}
_ACTED = object_(
    {
        **_DONE,
        "what": {"type": "string", "description": "What was done, or who has it, in words."},
        "state": {"type": "string", "enum": [str(state) for state in AlertState]},
    },
    additionalProperties=True,
    description="And all that a list tells of the alert.",
)
_BY = text("Who has it, up to 40 characters; left out: the key's name.")

LIST = operation(
    {
        200: answer(
            "A page.",
            object_(
                {
                    "alerts": {"type": "array", "items": ref("Alert")},
                    "cursor": text("Pass it on for the next page; null on the last."),
                }
            ),
            {"alerts": [_ALERT], "cursor": A_CURSOR},
        )
    },
    problem_examples.WRONG_STATE,
)
SUMMARY = operation(
    {
        200: answer(
            "What the alerts of the span came to, as they stand now.",
            ref("AlertSummary"),
            {
                "since": "2026-11-16T09:00:00.000Z",
                "until": "2026-11-23T09:00:00.000Z",
                "zone": "Asia/Tokyo",
                **_OF_CHAIN,
                "chains": {"database": _OF_CHAIN},
                "people": {"ann": {"calls": 15, "at_night": 4}},
            },
        )
    },
    problem_examples.WRONG_SPAN,
)
SHOW = operation(
    {200: answer("The alert.", ref("Alert"), _WHOLE)},
    problem_examples.NO_ALERT,
)
ACKNOWLEDGE = operation(
    {
        200: answer(
            "Who has it: the caller, or who had it already.",
            _ACTED,
            {
                "done": True,
                "what": "Disk full on db1: api:ops has it; nobody else is called",
                **_TAKEN,
            },
        )
    },
    problem_examples.NO_ALERT,
    problem_examples.ALERT_ENDED,
    problem_examples.WRONG_NAME,
    body=body_of(
        object_({"by": _BY, "note": NOTE}, additionalProperties=False),
        {"by": "ann", "note": "restarting the database"},
        required=False,
    ),
)
CANCEL = operation(
    {
        200: answer(
            "The alert as it stands now.",
            _ACTED,
            {
                "done": True,
                "what": "Disk full on db1: its calls are stopped, and nobody has it",
                **_ALERT,
                "state": "cancelled",
            },
        )
    },
    problem_examples.NO_ALERT,
    problem_examples.ALERT_ENDED,
    problem_examples.WRONG_FIELD,
    body=body_of(
        object_({"note": NOTE}, additionalProperties=False), {"note": "maintenance"}, required=False
    ),
)
