"""The operations that enqueue jobs and show them."""

from __future__ import annotations

from dispatcher.model.request_limits import LONGEST_KEY
from workers.gateway import traced
from workers.gateway.api import problem_examples
from workers.gateway.api.cursors import Cursors
from workers.gateway.api.limits import STREAM
from workers.gateway.api.operations.operation import answer, body_of, in_query, operation
from workers.gateway.api.problem_examples import JOB_ID
from workers.gateway.api.schema_words import object_, ref, text
from workers.gateway.api.schemas import FILTER
from workers.gateway.api.strict import NDJSON

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
A_CURSOR = Cursors(lambda: b"the reference").seal(f"1795428131020.{JOB_ID}", "jobs", "billing")
_KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
    "description": "The same key and request give the same job, however often you send them.",
}
ENQUEUE = operation(
    {
        202: answer("A new job.", ref("Job"), {"new": True, **A_JOB}),
        200: answer("The key's job, already enqueued.", ref("Job"), {"new": False, **A_JOB}),
    },
    problem_examples.OTHER_REQUEST,
    problem_examples.WRONG_REQUEST,
    body=body_of(ref("JobRequest"), A_REQUEST),
    parameters=[_KEY_HEADER, traced.PARAMETER],
    status=202,
)
_LINES = """{"recipient": "+818012340001", "say": "Hello", "key": "a"}
{"recipient": "0120", "say": "Hello", "key": "b"}
"""
_ANSWERS = """{"line": 1, "id": "ktq3ljmcozfwnu2a", "new": true}
{"line": 2, "status": 422, "detail": "…", "errors": [{"field": "recipient", "detail": "…"}]}
{"summary": {"lines": 2, "accepted": 1, "new": 1, "refused": 1, "complete": true}}
"""
BULK = operation(
    {
        200: answer(
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
        },
        traced.PARAMETER,
    ],
)
JOB = operation(
    {200: answer("The job.", ref("Job"), A_JOB)},
    problem_examples.NO_JOB,
    problem_examples.WRONG_WAIT,
    problem_examples.OWN_PLACES,
)
WHY = operation(
    {
        200: answer(
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
LIST = operation(
    {
        200: answer(
            "A page.",
            object_(
                {
                    "jobs": {"type": "array", "items": ref("Job")},
                    "cursor": text("Pass it on for the next page; null on the last."),
                }
            ),
            {"jobs": [A_JOB], "cursor": A_CURSOR},
        )
    },
    problem_examples.WRONG_STATE,
    parameters=[
        *(in_query(name, schema) for name, schema in FILTER["properties"].items()),
        in_query("key", text("An idempotency key: the client's own jobs; with `read`, anybody's.")),
    ],
)
