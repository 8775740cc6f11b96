"""What each route takes and answers, for the OpenAPI document; tests hold it against the code."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.request import LONGEST_KEY
from dispatcher.model.states import Priority
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
from workers.gateway.problems import MEDIA_TYPE

A_REQUEST = {"recipient": "+818012340001", "say": "Disk full on db1", "key": "alert-8812"}
A_JOB = {
    "id": "ktq3ljmcozfwnu2a",
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
_EXAMPLES: dict[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "the body is not a JSON object: a name is given twice in one object",
    HTTPStatus.UNAUTHORIZED: "the API key is missing or malformed, unknown, expired or revoked",
    HTTPStatus.FORBIDDEN: "this API key does not have the scope operate",
    HTTPStatus.NOT_FOUND: "there is no job 'ktq3ljmcozfwnu2a': check the id; its retention may"
    " be over",
    HTTPStatus.CONFLICT: "key 'alert-8812' belongs to another request (job ktq3ljmcozfwnu2a): use a"
    " new key, or send the same request",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body has more than 65536 bytes",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "the body is not declared as JSON",
    HTTPStatus.UNPROCESSABLE_ENTITY: "lang: 'xx' is not a language: give an ISO 639-1 code such as"
    " en or ja",
    HTTPStatus.TOO_MANY_REQUESTS: "the rate of API key kqzwmbhtya (50/minute) is used up",
    HTTPStatus.SERVICE_UNAVAILABLE: "Redis cannot be reached: is it running?",
}
_ALWAYS = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.BAD_REQUEST,
)
_WITH_BODY = (
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.REQUEST_TIMEOUT,
)


def _problem(status: HTTPStatus) -> Schema:
    example = {"status": int(status), "title": status.phrase, "detail": _EXAMPLES.get(status, "…")}
    content = {MEDIA_TYPE: {"schema": ref("Problem"), "example": example}}
    return {"description": status.phrase, "content": content}


def _answer(about: str, schema: Schema, example: Any, media: str = "application/json") -> Schema:
    return {"description": about, "content": {media: {"schema": schema, "example": example}}}


def _operation(
    answers: dict[int, Schema],
    *problems: HTTPStatus,
    body: Schema | None = None,
    parameters: list[Schema] | None = None,
    status: int = 200,
) -> dict[str, Any]:
    """Return what a route's decorator takes."""
    known = sorted({*_ALWAYS, *problems, *(_WITH_BODY if body else ())})
    extra: Schema = {"requestBody": body} if body else {}
    if parameters:
        extra["parameters"] = parameters
    return {
        "status_code": status,
        "response_class": Response,  # what it answers with is said below
        "responses": {int(each): _problem(each) for each in known} | answers,
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
    HTTPStatus.CONFLICT,
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
            "application/x-ndjson",
        )
    },
    body={
        "required": True,
        "content": {
            "application/x-ndjson": {
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
JOB = _operation({200: _answer("The job.", ref("Job"), A_JOB)}, HTTPStatus.NOT_FOUND)
WHY = _operation(
    {
        200: _answer(
            "The reasons.",
            ref("Why"),
            {
                "id": "ktq3ljmcozfwnu2a",
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
    HTTPStatus.NOT_FOUND,
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
PAUSE = _operation(
    {
        200: _answer(
            "The holds now.",
            object_(
                {
                    "scope": {"type": "string"},
                    "changed": {"type": "boolean"},
                    "holds": {"type": "array", "items": ref("Hold")},
                }
            ),
            {"scope": "bulk jobs", "changed": True, "holds": []},
        )
    },
    body=_body(
        object_(
            {
                "tag": text("Only jobs with this tag."),
                "priority": {"type": ["string", "null"], "enum": [*values(Priority), None]},
                "note": NOTE,
            },
            additionalProperties=False,
        ),
        {"priority": "bulk", "note": "wrong template"},
        required=False,
    ),
)

_AN_ACTION = {
    "id": "kqzwmbhtyaov",
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
            "ids": ["ktq3ljmcozfwnu2a"],
        }
    ],
}
_STARTED = {**_AN_ACTION, "state": "running", "actor": "api:ops", "done": 50, "remaining": 359}
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
            {"jobs": [A_JOB], "cursor": "1795428131020.ktq3ljmcozfwnu2a"},
        )
    },
    parameters=[_in_query(name, schema) for name, schema in FILTER["properties"].items()],
)


def _single(schema: Schema, example: Any) -> dict[str, Any]:
    return _operation(
        {200: _answer("The job after the change.", ref("Job"), A_JOB)},
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        body=_body(schema, example, required=False),
    )


SINGLE = {
    BulkActionKind.RETRY: _single(_RETRIED, {"note": "line repaired", "expires": "2h"}),
    BulkActionKind.CANCEL: _single(_NOTED, {"note": "no longer needed"}),
    BulkActionKind.REACHED: _single(_NOTED, {"note": "she says that she got the call"}),
}


def _many(properties: Schema, example: Any) -> dict[str, Any]:
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
            200: _answer("What it would do.", ref("BulkAction"), _AN_ACTION),
            202: _answer("It has started.", ref("BulkAction"), _STARTED),
        },
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        body=_body(schema, example),
    )


MANY = {
    BulkActionKind.RETRY: _many(
        {name: each for name, each in _RETRIED["properties"].items() if name != "note"},
        {"filter": {"state": "failed", "reason": "no_answer"}, "expires": "2h"},
    ),
    BulkActionKind.CANCEL: _many({}, {"filter": {"state": "queued", "tag": "campaign:spring"}}),
}
ACTION = _operation(
    {200: _answer("Its progress.", ref("BulkAction"), _STARTED)}, HTTPStatus.NOT_FOUND
)
STOP = _operation(
    {200: _answer("Its progress.", ref("BulkAction"), {**_STARTED, "state": "stopped"})},
    HTTPStatus.NOT_FOUND,
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
                        "target": "job:ktq3ljmcozfwnu2a",
                        "note": "no longer needed",
                        "facts": {},
                    }
                ],
                "next": None,
            },
        )
    }
)
