"""The operations of the account: figures, credit, pauses, and the audit log."""

from __future__ import annotations

from typing import Any

from dispatcher.model.states import Priority
from workers.gateway.api import problem_examples
from workers.gateway.api.operations.operation import answer, body_of, operation
from workers.gateway.api.problem_examples import JOB_ID
from workers.gateway.api.schema_words import NOTE, WHEN, Schema, object_, ref, text, values

STATS = operation(
    {200: answer("The account now.", {"type": "object"}, {"jobs": {"queued": 318}})},
    problem_examples.NO_CAMPAIGN,
    problem_examples.NO_TAG,
)
BALANCE = operation(
    {
        200: answer(
            "The credit.",
            {"type": "object"},
            {
                "balance": 412.5,
                "available": 390.0,
                "hours_left": 3.6,
                "holds": [],
                "limits": [],
                "learned": [],
            },
        )
    }
)
_HOLD = {
    "name": "paused:priority:bulk",
    "since": "2026-11-23T10:02:11.020Z",
    "why": "paused by api:ops: wrong template",
    "required": 0.0,
    "half_open": False,
}


def _pause(about: str, holds: list[Schema], note: str, **more: Schema) -> dict[str, Any]:
    holds_now = object_(
        {
            "scope": {"type": "string"},
            "changed": {"type": "boolean"},
            "holds": {"type": "array", "items": ref("Hold")},
        }
    )
    asked = object_(
        {
            "tag": text("Only jobs with this tag."),
            "priority": {"type": ["string", "null"], "enum": [*values(Priority), None]},
            **more,
            "note": NOTE,
        },
        additionalProperties=False,
    )
    return operation(
        {200: answer(about, holds_now, {"scope": "bulk jobs", "changed": True, "holds": holds})},
        problem_examples.WRONG_SCOPE,
        body=body_of(asked, {"priority": "bulk", "note": note}, required=False),
    )


PAUSE = _pause("The holds now, the new one included.", [_HOLD], "wrong template")
RESUME = _pause(
    "The holds that are left.",
    [],
    "template corrected",
    unusual={
        "type": ["boolean", "null"],
        "description": "`true` ends the hold for unusual calls instead of a pause.",
    },
)

AUDIT = operation(
    {
        200: answer(
            "Entries, and the time from which to read the next ones.",
            object_({"entries": {"type": "array", "items": ref("AuditEntry")}, "next": WHEN}),
            {
                "entries": [
                    {
                        "at": "2026-11-23T10:02:11.020Z",
                        "actor": "api:ops",
                        "action": "cancel",
                        "target": f"job:{JOB_ID}",
                        "note": "no longer needed",
                        "facts": {},
                    }
                ],
                "next": None,
            },
        )
    },
    problem_examples.WRONG_LIMIT,
)
