"""What each route takes and answers, for the OpenAPI document; tests hold it against the code."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.request import LONGEST_KEY
from dispatcher.model.states import TERMINAL, Priority, Reason, State
from workers.gateway.api import problem_examples
from workers.gateway.api.limits import MANY as MANY_LIMIT
from workers.gateway.api.limits import SMALL, STREAM
from workers.gateway.api.problem_examples import ACTION_ID, JOB_ID
from workers.gateway.api.schemas import (
    DURATION,
    FILTER,
    NOTE,
    WHEN,
    Schema,
    object_,
    ref,
    text,
    values,
)
from workers.gateway.api.strict import NDJSON
from workers.gateway.middleware import Limit
from workers.gateway.problems import Problem

A_REQUEST = {"recipient": "+818012340001", "say": "Disk full on db1", "key": "alert-8812"}
A_JOB = {
    "id": JOB_ID,
    "kind": "tts",
    "state": "queued",
    "reason": None,
    "hold_reason": None,
    "outcome": None,
    "priority": "normal",
    "recipient": "+818012340001",
    "say": "Disk full on db1",
    "lang": "en",
    "play": None,
    "tags": [],
    "key": "alert-8812",
    "created_at": "2026-11-23T10:02:11.020Z",
    "attempts": [],
    "next_action": {"what": "is dialled when its turn comes", "at": None},
    "timeline": [
        {
            "at": "2026-11-23T10:02:11.020Z",
            "from": None,
            "to": "queued",
            "reason": None,
            "actor": "billing",
            "why": "",
        }
    ],
}
_ALWAYS = (problem_examples.NO_KEY, problem_examples.RATE, problem_examples.NO_REDIS)


def _answer(about: str, schema: Schema, example: Any, media: str = "application/json") -> Schema:
    return {"description": about, "content": {media: {"schema": schema, "example": example}}}


def _operation(
    answers: dict[int, Schema],
    *own: Problem,
    body: Schema | None = None,
    parameters: list[Schema] | None = None,
    status: int = 200,
    limit: Limit = SMALL,
) -> dict[str, Any]:
    """Return what a route's decorator takes; `own` are its problems, besides those of all routes.

    The problem of a missing scope is added where the document is made: the route knows its scopes.
    """
    of_body = problem_examples.of_body(limit) if body else [problem_examples.TWICE]
    problems = {int(each.status_code): each for each in (*_ALWAYS, *of_body, *own)}
    extra: Schema = {"requestBody": body} if body else {}
    if parameters:
        extra["parameters"] = parameters
    return {
        "status_code": status,
        "response_class": Response,  # what it answers with is said below
        "responses": {n: problem_examples.answer(problems[n]) for n in sorted(problems)} | answers,
        "openapi_extra": extra or None,
    }


def _body(schema: Schema, example: Any, *, required: bool = True) -> Schema:
    return {
        "required": required,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


def _in_query(name: str, schema: Schema) -> Schema:
    kind = {"type": "array", "items": schema["items"]} if name == "state" else {"type": "string"}
    about = schema["description"]
    return {"name": name, "in": "query", "required": False, "schema": kind, "description": about}


_KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
    "description": "The same key and request give the same job, however often you send them.",
}
ENQUEUE = _operation(
    {
        202: _answer("A new job.", ref("Job"), {"new": True, **A_JOB}),
        200: _answer("The key's job, already enqueued.", ref("Job"), {"new": False, **A_JOB}),
    },
    problem_examples.OTHER_REQUEST,
    problem_examples.WRONG_REQUEST,
    body=_body(ref("JobRequest"), A_REQUEST),
    parameters=[_KEY_HEADER],
    status=202,
)
_LINES = """{"recipient": "+818012340001", "say": "Hello", "key": "a"}
{"recipient": "0120", "say": "Hello", "key": "b"}
"""
_ANSWERS = """{"line": 1, "id": "ktq3ljmcozfwnu2a", "new": true}
{"line": 2, "status": 422, "detail": "…", "errors": [{"field": "recipient", "detail": "…"}]}
{"summary": {"lines": 2, "accepted": 1, "new": 1, "refused": 1, "complete": true}}
"""
BULK = _operation(
    {
        200: _answer(
            "A line for each line, then a summary.",
            {"type": "string"},
            _ANSWERS,
            NDJSON,
        )
    },
    problem_examples.TWICE,
    problem_examples.UNDECLARED_LINES,
    problem_examples.NO_PLACE,
    limit=STREAM,
    body={
        "required": True,
        "content": {
            NDJSON: {
                "schema": {"type": "array", "items": ref("JobRequest")},  # one on each line
                "example": _LINES,
            }
        },
    },
    parameters=[
        {
            **_KEY_HEADER,
            "description": "A line without its own key gets this key, a colon and its line number.",
        }
    ],
)
JOB = _operation(
    {200: _answer("The job.", ref("Job"), A_JOB)},
    problem_examples.NO_JOB,
    problem_examples.WRONG_WAIT,
)
WHY = _operation(
    {
        200: _answer(
            "The reasons.",
            ref("Why"),
            {
                "id": JOB_ID,
                "state": "held",
                "reason": None,
                "hold_reason": "credit",
                "why": "it is held: credit 42, needs 50",
                "position": None,
                "expected_at": None,
                "next_action": {"what": "is released when its hold ends", "at": None},
            },
        )
    },
    problem_examples.NO_JOB,
)
STATS = _operation(
    {200: _answer("The account now.", {"type": "object"}, {"jobs": {"queued": 318}})}
)
BALANCE = _operation(
    {
        200: _answer(
            "The credit.",
            {"type": "object"},
            {"balance": 412.5, "available": 390.0, "hours_left": 3.6, "holds": [], "limits": []},
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


def _pause(about: str, holds: list[Schema], note: str) -> dict[str, Any]:
    answer = object_(
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
            "note": NOTE,
        },
        additionalProperties=False,
    )
    return _operation(
        {200: _answer(about, answer, {"scope": "bulk jobs", "changed": True, "holds": holds})},
        problem_examples.WRONG_SCOPE,
        body=_body(asked, {"priority": "bulk", "note": note}, required=False),
    )


PAUSE = _pause("The holds now, the new one included.", [_HOLD], "wrong template")
RESUME = _pause("The holds that are left.", [], "template corrected")

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
LIST = _operation(
    {
        200: _answer(
            "A page.",
            object_(
                {
                    "jobs": {"type": "array", "items": ref("Job")},
                    "cursor": text("Pass it on for the next page; null on the last."),
                }
            ),
            {"jobs": [A_JOB], "cursor": f"1795428131020.{JOB_ID}"},
        )
    },
    problem_examples.WRONG_STATE,
    parameters=[_in_query(name, schema) for name, schema in FILTER["properties"].items()],
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
    return _operation(
        {200: _answer("The job after the change.", ref("Job"), job)},
        problem_examples.NO_JOB,
        problem_examples.REFUSED[kind],
        problem_examples.WRONG_FIELD,
        body=_body(schema, asked, required=False),
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
    return _operation(
        {
            200: _answer("What it would do.", ref("BulkAction"), preview),
            202: _answer("It has started.", ref("BulkAction"), _running(preview, 0)),
        },
        problem_examples.NO_ACTION,
        problem_examples.OTHER_ACTION[kind],
        problem_examples.WRONG_SELECTION,
        body=_body(schema, example),
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
ACTION = _operation(
    {200: _answer("Its progress.", ref("BulkAction"), _running(_AN_ACTION))},
    problem_examples.NO_ACTION,
)
STOP = _operation(
    {200: _answer("Its progress.", ref("BulkAction"), _running(_AN_ACTION, 50, "stopped"))},
    problem_examples.NO_ACTION,
    problem_examples.WRONG_FIELD,
    body=_body(_NOTED, {"note": "wrong template"}, required=False),
)
AUDIT = _operation(
    {
        200: _answer(
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
