"""The operations that cancel, retry or mark jobs, one at a time or many."""

from __future__ import annotations

from typing import Any

from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.states import TERMINAL, Reason, State
from workers.gateway.api import problem_examples
from workers.gateway.api.limits import MANY as MANY_LIMIT
from workers.gateway.api.operations.jobs import A_JOB
from workers.gateway.api.operations.operation import answer, body_of, operation
from workers.gateway.api.problem_examples import ACTION_ID, JOB_ID
from workers.gateway.api.schema_words import DURATION, NOTE, Schema, object_, ref, text

_AN_ACTION = {
    "id": ACTION_ID,
    "action": "retry",
    "selection": "state=failed reason=no_answer",
    "matched": 412,
    "selected": 409,
    "expected_credits": 4090.0,
    "credits_if_all_answered": 8180.0,
    "may_have_been_called": 0,
    "excluded": [
        {
            "reason": "reached",
            "why": "somebody was reached",
            "count": 3,
            "ids": [JOB_ID],
        }
    ],
}
_A_CANCELLATION = {
    "id": ACTION_ID,
    "action": "cancel",
    "selection": "state=queued tag=campaign:spring",
    "matched": 412,
    "selected": 412,
    "expected_credits": 0.0,
    "credits_if_all_answered": 0.0,
    "may_have_been_called": 0,
    "excluded": [],
}


def _running(preview: Schema, done: int = 50, state: str = "running") -> Schema:
    left = preview["selected"] - done
    return {**preview, "state": state, "actor": "api:ops", "done": done, "remaining": left}


_NOTED = object_({"note": NOTE}, additionalProperties=False)
_RETRIED = object_(
    {
        "note": NOTE,
        "expires": {**DURATION, "description": f"A new deadline. {DURATION['description']}"},
        "uncertain": {
            "type": ["boolean", "null"],
            "description": "Also retry jobs whose call may be under way.",
        },
    },
    additionalProperties=False,
)


def _job(before: Schema, state: State, reason: str | None, why: str) -> Schema:
    """Return the example of a job to which a person did something."""
    event = {
        "at": "2026-11-23T10:20:45.310Z",
        "from": before["state"],
        "to": state,
        "reason": reason,
        "actor": "api:ops",
        "why": why,
    }
    over = state in TERMINAL
    return {
        **before,
        "state": state,
        "reason": reason,
        "next_action": None if over else A_JOB["next_action"],
        "timeline": [*before["timeline"], event],
    }


def _single(kind: BulkActionKind, schema: Schema, asked: Schema, job: Schema) -> dict[str, Any]:
    return operation(
        {200: answer("The job after the change.", ref("Job"), job)},
        problem_examples.NO_JOB,
        problem_examples.REFUSED[kind],
        problem_examples.WRONG_FIELD,
        body=body_of(schema, asked, required=False),
    )


_FAILED = {**A_JOB, "state": State.FAILED, "reason": Reason.NO_ANSWER}
_UNKNOWN = {**A_JOB, "state": State.FAILED, "reason": Reason.OUTCOME_UNKNOWN}
_SHE_SAYS = "she says that she got the call"
SINGLE = {
    BulkActionKind.RETRY: _single(
        BulkActionKind.RETRY,
        _RETRIED,
        {"note": "line repaired", "expires": "2h"},
        _job(_FAILED, State.QUEUED, None, "line repaired"),
    ),
    BulkActionKind.CANCEL: _single(
        BulkActionKind.CANCEL,
        _NOTED,
        {"note": "no longer needed"},
        _job(A_JOB, State.CANCELLED, None, "no longer needed"),
    ),
    BulkActionKind.REACHED: _single(
        BulkActionKind.REACHED,
        _NOTED,
        {"note": _SHE_SAYS},
        _job(_UNKNOWN, State.COMPLETED, Reason.MARKED_REACHED, _SHE_SAYS),
    ),
}


def _many(
    kind: BulkActionKind, properties: Schema, example: Any, preview: Schema
) -> dict[str, Any]:
    schema = object_(
        {
            "filter": {"anyOf": [ref("Filter"), {"type": "null"}]},
            "ids": {
                "type": ["array", "string", "null"],
                "items": {"type": "string"},
                "description": "Job ids, instead of a filter.",
            },
            **properties,
            "preview": {
                "type": ["boolean", "null"],
                "default": True,
                "description": "`false`, with the `id` of a preview: start that action.",
            },
            "id": text("The id of the preview."),
            "note": NOTE,
        },
        additionalProperties=False,
    )
    return operation(
        {
            200: answer("What it would do.", ref("BulkAction"), preview),
            202: answer("It has started.", ref("BulkAction"), _running(preview, 0)),
        },
        problem_examples.NO_ACTION,
        problem_examples.OTHER_ACTION[kind],
        problem_examples.WRONG_SELECTION,
        body=body_of(schema, example),
        limit=MANY_LIMIT,
    )


MANY = {
    BulkActionKind.RETRY: _many(
        BulkActionKind.RETRY,
        {name: each for name, each in _RETRIED["properties"].items() if name != "note"},
        {"filter": {"state": "failed", "reason": "no_answer"}, "expires": "2h"},
        _AN_ACTION,
    ),
    BulkActionKind.CANCEL: _many(
        BulkActionKind.CANCEL,
        {},
        {"filter": {"state": "queued", "tag": "campaign:spring"}},
        _A_CANCELLATION,
    ),
}
ACTION = operation(
    {200: answer("Its progress.", ref("BulkAction"), _running(_AN_ACTION))},
    problem_examples.NO_ACTION,
)
STOP = operation(
    {200: answer("Its progress.", ref("BulkAction"), _running(_AN_ACTION, 50, "stopped"))},
    problem_examples.NO_ACTION,
    problem_examples.WRONG_FIELD,
    body=body_of(_NOTED, {"note": "wrong template"}, required=False),
)
