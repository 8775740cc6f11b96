"""What the routes take and answer, for the OpenAPI document; tests hold it against the code."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from dispatcher.previews import Act
from dispatcher.request import (
    LONGEST_KEY,
    LONGEST_TAG,
    LONGEST_TEXT,
    MOST_ATTEMPTS,
    MOST_TAGS,
    Kind,
)
from dispatcher.states import OnUncertain, Priority, State
from dispatcher.store.audit import LONGEST_NOTE
from workers.gateway.problems import MEDIA_TYPE

Schema = dict[str, Any]

NUMBER = {"type": "string", "description": "A number in E.164.", "examples": ["+818012340001"]}
WHEN: Schema = {"type": ["string", "null"], "format": "date-time"}
DURATION: Schema = {
    "type": ["number", "string", "null"],
    "description": "Seconds, or `30s`, `15m`, `2h`, `7d`.",
}
MOMENT: Schema = {
    "type": ["number", "string", "null"],
    "description": "A delay in seconds or such as `15m`, or ISO 8601 with a zone.",
}


def _text(about: str, **more: Any) -> Schema:
    return {"type": ["string", "null"], "description": about, **more}


def _number(about: str, kind: str = "number", **more: Any) -> Schema:
    return {"type": [kind, "null"], "description": about, **more}


def _values(kinds: Any) -> list[str]:
    return [str(each) for each in kinds]


def _object(properties: Schema, **more: Any) -> Schema:
    return {"type": "object", "properties": properties, **more}


def ref(name: str) -> Schema:
    """Return the reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


NOTE = _text("Why, for the timeline and the audit.", maxLength=LONGEST_NOTE)

REQUEST = _object(
    {
        "recipient": {**NUMBER, "description": "Who is called, in E.164."},
        "participants": {
            "type": "array",
            "items": NUMBER,
            "minItems": 2,
            "maxItems": 3,
            "description": "Instead of `recipient`: who is brought together in a conference.",
        },
        "say": _text("The text to say.", maxLength=LONGEST_TEXT),
        "play": _text("Or the http URL of an MP3 to play."),
        "lang": _text("The text's language, ISO 639-1; `en` unless given."),
        "caller": _text("The number that shows, instead of the account's."),
        "tags": {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": LONGEST_TAG},
            "maxItems": MOST_TAGS,
            "description": "For filters, pauses and limits; one that begins with `campaign:`"
            " makes a line of its own.",
        },
        "key": _text(
            "The idempotency key, unless the header Idempotency-Key says it: the same key and"
            " request is the same job.",
            minLength=1,
            maxLength=LONGEST_KEY,
        ),
        "priority": {"type": "string", "enum": _values(Priority), "default": "normal"},
        "at": {**MOMENT, "description": f"Not before. {MOMENT['description']}"},
        "expires": {**MOMENT, "description": f"Not after. {MOMENT['description']}"},
        "max_attempts": _number("Attempts at most.", "integer", minimum=1, maximum=MOST_ATTEMPTS),
        "redial": _number(
            "Further calls where nobody answers.",
            "integer",
            minimum=0,
            maximum=MOST_ATTEMPTS - 1,
        ),
        "redial_after": {**DURATION, "description": f"Until a redial. {DURATION['description']}"},
        "on_uncertain": {
            "type": ["string", "null"],
            "enum": [*_values(OnUncertain), None],
            "description": "What follows when nobody can know whether somebody was called.",
        },
        "evidence_window": {
            **DURATION,
            "description": f"How long evidence is waited for. {DURATION['description']}",
        },
        "call_deadline": {
            **DURATION,
            "description": f"How long a call's end is waited for. {DURATION['description']}",
        },
        "hours": _text("When, by the recipient's clock: `08:00-21:00`, or `any`."),
        "backoff_longest": {
            **DURATION,
            "description": f"The longest wait between attempts. {DURATION['description']}",
        },
        "premium": {
            "type": ["boolean", "null"],
            "description": "Whether a premium-rate number may be called.",
        },
        "webhook": _text("A URL of its own that is told how the job ends."),
    },
    additionalProperties=False,
    description="A text or a recording for one recipient, or a conference of two or three.",
)

ATTEMPT = _object(
    {
        "number": {"type": "integer"},
        "started_at": WHEN,
        "sent_at": WHEN,
        "ended_at": WHEN,
        "result": _text("What it came to, in a word."),
        "callid": _text("The provider's call, or calls with commas between."),
        "conferenceid": _text("The provider's conference."),
        "cost": _number("Credits."),
        "error": _text("What went wrong."),
        "participants": {"type": "array", "items": {"type": "object"}},
    },
)
EVENT = _object(
    {
        "at": WHEN,
        "from": _text("The state before."),
        "to": {"type": "string", "enum": _values(State)},
        "reason": _text("The reason in a word."),
        "actor": {"type": "string", "description": "Who did it."},
        "why": {"type": "string", "description": "In words."},
    }
)
JOB_VIEW = _object(
    {
        "new": {"type": "boolean", "description": "Only when asked for: false, it stood already."},
        "id": {"type": "string"},
        "kind": {"type": "string", "enum": _values(Kind)},
        "state": {"type": "string", "enum": _values(State)},
        "reason": _text("Why it ended so."),
        "hold_reason": _text("Why it is held."),
        "outcome": _text("The provider's word."),
        "priority": {"type": "string", "enum": _values(Priority)},
        "recipient": {"type": "string", "description": "Masked for keys that only read."},
        "participants": {"type": "array", "items": {"type": "string"}},
        "say": _text("Left out for keys that only read, as are `lang` and `play`."),
        "lang": _text("The text's language."),
        "play": _text("The recording."),
        "caller": _text("The number that shows."),
        "tags": {"type": "array", "items": {"type": "string"}},
        "key": _text("The idempotency key."),
        "webhook": _text("Its own URL to tell."),
        "created_at": WHEN,
        "due_at": WHEN,
        "expires_at": WHEN,
        "finished_at": WHEN,
        "attempts": {"type": "array", "items": ref("Attempt")},
        "callid": _text("The latest call."),
        "conferenceid": _text("The latest conference."),
        "cost": _number("Credits, of all its attempts."),
        "duration": _number("Seconds that the call lasted."),
        "next_action": {
            "type": ["object", "null"],
            "properties": {"what": {"type": "string"}, "at": WHEN},
        },
        "timeline": {"type": "array", "items": ref("Event")},
    },
    required=["id", "kind", "state", "priority", "tags", "attempts", "timeline"],
)
WHY_VIEW = _object(
    {
        "id": {"type": "string"},
        "state": {"type": "string", "enum": _values(State)},
        "reason": _text("Why it ended so."),
        "hold_reason": _text("Why it is held."),
        "why": {"type": "string", "description": "In words."},
        "position": _number("Its place in line, from 1.", "integer"),
        "expected_at": WHEN,
        "next_action": {"type": ["object", "null"]},
    }
)
PROBLEM = _object(
    {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong."},
        "remedy": {"type": "string", "description": "What to do about it."},
        "errors": {
            "type": "array",
            "description": "The fields that are to blame.",
            "items": _object({"field": {"type": "string"}, "detail": {"type": "string"}}),
        },
    },
    required=["title", "status", "detail"],
)
GATE = _object(
    {
        "gate": {"type": "string"},
        "since": WHEN,
        "why": {"type": "string"},
        "required": {"type": "number"},
        "ajar": {"type": "boolean"},
    }
)
FILTER = _object(
    {
        "state": {
            "type": ["string", "array", "null"],
            "items": {"type": "string", "enum": _values(State)},
            "description": "A state, or several.",
        },
        "reason": _text("Reason of failure or hold, such as no_answer."),
        "tag": _text("A tag."),
        "recipient": _text(
            "A number, or its last digits: at most four of them for keys that only read."
        ),
        "producer": _text("Who asked for it: a key's name."),
        "since": _text("Created since: ISO 8601 with zone, or how long ago (`2h`)."),
        "until": _text("Created before."),
    },
    additionalProperties=False,
    description="Which jobs are meant; what is left out does not matter.",
)
LEFT_OUT = _object(
    {
        "reason": {"type": "string"},
        "why": {"type": "string", "description": "In words."},
        "count": {"type": "integer"},
        "ids": {"type": "array", "items": {"type": "string"}, "description": "The first of them."},
    }
)
ACT_VIEW = _object(
    {
        "id": {"type": "string", "description": "To begin it, and to ask how it stands."},
        "act": {"type": "string", "enum": _values(Act)},
        "state": {"type": "string", "enum": ["proposed", "running", "done", "stopped"]},
        "meant": {"type": "string", "description": "Which jobs, in words."},
        "actor": {"type": "string"},
        "why": {"type": "string"},
        "begun_at": WHEN,
        "ended_at": WHEN,
        "matched": {"type": "integer", "description": "Jobs that are meant."},
        "chosen": {"type": "integer", "description": "Of these, those it acts on."},
        "did": {"type": "integer"},
        "left": {"type": "integer"},
        "refused": {
            "type": "array",
            "items": ref("LeftOut"),
            "description": "Something happened to them after the preview.",
        },
        "expected_credits": {"type": "number"},
        "credits_if_all_answered": {"type": "number"},
        "may_have_been_called": {
            "type": "integer",
            "description": "Of the chosen, those of which nobody knows whether they were called.",
        },
        "left_out": {"type": "array", "items": ref("LeftOut")},
        "tag": _text("A retry's jobs have this tag: to list, pause, cancel or limit them by."),
    },
    required=["id", "act", "matched", "chosen"],
)
ENTRY = _object(
    {
        "at": WHEN,
        "actor": {"type": "string"},
        "act": {"type": "string"},
        "target": {"type": "string"},
        "why": {"type": "string"},
        "facts": {"type": "object"},
    }
)
COMPONENTS = {
    "JobRequest": REQUEST,
    "Job": JOB_VIEW,
    "Attempt": ATTEMPT,
    "Event": EVENT,
    "Why": WHY_VIEW,
    "Filter": FILTER,
    "Act": ACT_VIEW,
    "LeftOut": LEFT_OUT,
    "Entry": ENTRY,
    "Gate": GATE,
    "Problem": PROBLEM,
}

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
    HTTPStatus.BAD_REQUEST: "the body is not a JSON object: a name stands twice in one object",
    HTTPStatus.UNAUTHORIZED: "the API key is missing or malformed, unknown, expired or revoked",
    HTTPStatus.FORBIDDEN: "this API key has not the scope operate",
    HTTPStatus.NOT_FOUND: "there is no job 'ktq3ljmcozfwnu2a': check the id; it may be past its"
    " retention",
    HTTPStatus.CONFLICT: "key 'alert-8812' belongs to another request (job ktq3ljmcozfwnu2a): use a"
    " new key, or send the same request",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body has more than 65536 bytes",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "the body is not declared to be JSON",
    HTTPStatus.UNPROCESSABLE_ENTITY: "the request is not what is expected here",
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
    "description": "The same key and request is the same job, however often it is sent.",
}
ENQUEUE = _operation(
    {
        202: _answer("A new job.", ref("Job"), {"new": True, **A_JOB}),
        200: _answer("The key's job: it stood already.", ref("Job"), {"new": False, **A_JOB}),
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
            "A line for each line, and a summary.",
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
            "description": "A line without a key of its own gets this, a colon and its number.",
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
                "next_action": {"what": "is released when its gate opens", "at": None},
            },
        )
    },
    HTTPStatus.NOT_FOUND,
)
STATS = _operation(
    {200: _answer("How things stand.", {"type": "object"}, {"jobs": {"queued": 318}})}
)
BALANCE = _operation(
    {
        200: _answer(
            "The credit.",
            {"type": "object"},
            {"balance": 412.5, "available": 390.0, "hours_left": 3.6, "gates": [], "limits": []},
        )
    }
)
PAUSE = _operation(
    {
        200: _answer(
            "What is closed now.",
            _object(
                {
                    "scope": {"type": "string"},
                    "changed": {"type": "boolean"},
                    "gates": {"type": "array", "items": ref("Gate")},
                }
            ),
            {"scope": "bulk jobs", "changed": True, "gates": []},
        )
    },
    body=_body(
        _object(
            {
                "tag": _text("Only the jobs with this tag."),
                "priority": {"type": ["string", "null"], "enum": [*_values(Priority), None]},
                "note": NOTE,
            },
            additionalProperties=False,
        ),
        {"priority": "bulk", "note": "wrong template"},
        required=False,
    ),
)

_AN_ACT = {
    "id": "kqzwmbhtyaov",
    "act": "retry",
    "meant": "state=failed reason=no_answer",
    "matched": 412,
    "chosen": 409,
    "expected_credits": 4090.0,
    "credits_if_all_answered": 8180.0,
    "may_have_been_called": 0,
    "left_out": [
        {
            "reason": "reached",
            "why": "somebody was reached",
            "count": 3,
            "ids": ["ktq3ljmcozfwnu2a"],
        }
    ],
}
_BEGUN = {**_AN_ACT, "state": "running", "actor": "api:ops", "did": 50, "left": 359}
_NOTED = _object({"note": NOTE}, additionalProperties=False)
_RETRIED = _object(
    {
        "note": NOTE,
        "expires": {**DURATION, "description": f"A new deadline. {DURATION['description']}"},
        "uncertain": {
            "type": ["boolean", "null"],
            "description": "Also where a call may be under way.",
        },
    },
    additionalProperties=False,
)
LIST = _operation(
    {
        200: _answer(
            "A page.",
            _object({"jobs": {"type": "array", "items": ref("Job")}, "cursor": _text("Leads on.")}),
            {"jobs": [A_JOB], "cursor": "1795428131020.ktq3ljmcozfwnu2a"},
        )
    },
    parameters=[_in_query(name, schema) for name, schema in FILTER["properties"].items()],
)


def _single(schema: Schema, example: Any) -> dict[str, Any]:
    return _operation(
        {200: _answer("The job, as it stands then.", ref("Job"), A_JOB)},
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        body=_body(schema, example, required=False),
    )


SINGLE = {
    Act.RETRY: _single(_RETRIED, {"note": "they are back", "expires": "2h"}),
    Act.CANCEL: _single(_NOTED, {"note": "no longer needed"}),
    Act.REACHED: _single(_NOTED, {"note": "she says that she got it"}),
}


def _many(properties: Schema, example: Any) -> dict[str, Any]:
    schema = _object(
        {
            "filter": {"anyOf": [ref("Filter"), {"type": "null"}]},
            "ids": {
                "type": ["array", "string", "null"],
                "items": {"type": "string"},
                "description": "Instead of a filter.",
            },
            **properties,
            "preview": {
                "type": ["boolean", "null"],
                "default": True,
                "description": "false, with the `id` of a preview: begin what it told.",
            },
            "id": _text("The preview's."),
            "note": NOTE,
        },
        additionalProperties=False,
    )
    return _operation(
        {
            200: _answer("What it would do.", ref("Act"), _AN_ACT),
            202: _answer("It has begun.", ref("Act"), _BEGUN),
        },
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        body=_body(schema, example),
    )


MANY = {
    Act.RETRY: _many(
        {name: each for name, each in _RETRIED["properties"].items() if name != "note"},
        {"filter": {"state": "failed", "reason": "no_answer"}, "expires": "2h"},
    ),
    Act.CANCEL: _many({}, {"filter": {"state": "queued", "tag": "campaign:spring"}}),
}
ACT = _operation({200: _answer("How it stands.", ref("Act"), _BEGUN)}, HTTPStatus.NOT_FOUND)
STOP = _operation(
    {200: _answer("How it stands.", ref("Act"), {**_BEGUN, "state": "stopped"})},
    HTTPStatus.NOT_FOUND,
    body=_body(_NOTED, {"note": "wrong template"}, required=False),
)
AUDIT = _operation(
    {
        200: _answer(
            "Entries, and since when the next ones are.",
            _object({"entries": {"type": "array", "items": ref("Entry")}, "next": WHEN}),
            {
                "entries": [
                    {
                        "at": "2026-11-23T10:02:11.020Z",
                        "actor": "api:ops",
                        "act": "cancel",
                        "target": "job:ktq3ljmcozfwnu2a",
                        "why": "no longer needed",
                        "facts": {},
                    }
                ],
                "next": None,
            },
        )
    }
)
