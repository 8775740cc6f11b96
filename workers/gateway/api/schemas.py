"""The components of the OpenAPI document; tests hold them against what the routes answer."""

from __future__ import annotations

from typing import Any

from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.request import (
    LONGEST_KEY,
    LONGEST_TAG,
    LONGEST_TEXT,
    MOST_ATTEMPTS,
    MOST_TAGS,
    Kind,
)
from dispatcher.model.states import OnUncertain, Priority, State
from dispatcher.provider import registry
from dispatcher.store.audit import LONGEST_NOTE
from dispatcher.values import params

Schema = dict[str, Any]
CAN = registry.registration().capabilities

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


def text(about: str, **more: Any) -> Schema:
    """Return the schema of a text that may be left out."""
    return {"type": ["string", "null"], "description": about, **more}


def number(about: str, kind: str = "number", **more: Any) -> Schema:
    """Return the schema of a number that may be left out."""
    return {"type": [kind, "null"], "description": about, **more}


def values(kinds: Any) -> list[str]:
    """Return the words of a closed set."""
    return [str(each) for each in kinds]


def object_(properties: Schema, **more: Any) -> Schema:
    """Return the schema of an object."""
    return {"type": "object", "properties": properties, **more}


def ref(name: str) -> Schema:
    """Return the reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


NOTE = text("Why, for the timeline and the audit.", maxLength=LONGEST_NOTE)

REQUEST = object_(
    {
        "recipient": {**NUMBER, "description": "Who is called, in E.164."},
        "participants": {
            "type": "array",
            "items": NUMBER,
            "minItems": min(CAN.participants, default=0),
            "maxItems": max(CAN.participants, default=0),
            "description": "Instead of `recipient`: who is brought together in a conference.",
        },
        "say": text("The text to say.", maxLength=LONGEST_TEXT),
        "play": text("Or the http URL of an MP3 to play."),
        "lang": text("The text's language, ISO 639-1; `en` unless given."),
        "caller": text("The number that shows, instead of the account's."),
        "tags": {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": LONGEST_TAG},
            "maxItems": MOST_TAGS,
            "description": "For filters, pauses and limits; one that begins with `campaign:`"
            " makes a line of its own.",
        },
        "key": text(
            "The idempotency key, unless the header Idempotency-Key says it: the same key and"
            " request is the same job.",
            minLength=1,
            maxLength=LONGEST_KEY,
        ),
        "priority": {"type": "string", "enum": values(Priority), "default": "normal"},
        "at": {**MOMENT, "description": f"Not before. {MOMENT['description']}"},
        "expires": {**MOMENT, "description": f"Not after. {MOMENT['description']}"},
        "max_attempts": number("Attempts at most.", "integer", minimum=1, maximum=MOST_ATTEMPTS),
        "redial": number(
            "Further calls where nobody answers.",
            "integer",
            minimum=0,
            maximum=MOST_ATTEMPTS - 1,
        ),
        "redial_after": {**DURATION, "description": f"Until a redial. {DURATION['description']}"},
        "on_uncertain": {
            "type": ["string", "null"],
            "enum": [*values(OnUncertain), None],
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
        "hours": text("When, by the recipient's clock: `08:00-21:00`, or `any`."),
        "backoff_longest": {
            **DURATION,
            "description": f"The longest wait between attempts. {DURATION['description']}",
        },
        "premium": {
            "type": ["boolean", "null"],
            "description": "Whether a premium-rate number may be called.",
        },
        "webhook": text("A URL of its own that is told how the job ends."),
        "params": {
            "type": ["object", "null"],
            "additionalProperties": {
                "type": "string",
                "minLength": 1,
                "maxLength": params.LONGEST_VALUE,
            },
            "maxProperties": params.MOST,
            "description": "Further form fields for the provider, by name.",
        },
    },
    additionalProperties=False,
    description="A text or a recording for one recipient, or a conference of two or three.",
)

ATTEMPT = object_(
    {
        "number": {"type": "integer"},
        "started_at": WHEN,
        "sent_at": WHEN,
        "ended_at": WHEN,
        "result": text("What it came to, in a word of ours."),
        "callid": text("The provider's call, or calls with commas between."),
        "conferenceid": text("The provider's conference."),
        "cost": number("Credits."),
        "error": text("What went wrong."),
        "participants": {"type": "array", "items": {"type": "object"}},
    },
)
EVENT = object_(
    {
        "at": WHEN,
        "from": text("The state before."),
        "to": {"type": "string", "enum": values(State)},
        "reason": text("The reason in a word."),
        "actor": {"type": "string", "description": "Who did it."},
        "why": {"type": "string", "description": "In words."},
    }
)
JOB_VIEW = object_(
    {
        "new": {"type": "boolean", "description": "Only when asked for: false, it stood already."},
        "id": {"type": "string"},
        "kind": {"type": "string", "enum": values(Kind)},
        "state": {"type": "string", "enum": values(State)},
        "reason": text("Why it ended so."),
        "hold_reason": text("Why it is held."),
        "outcome": text("The provider's word."),
        "priority": {"type": "string", "enum": values(Priority)},
        "recipient": {"type": "string", "description": "Masked for keys that only read."},
        "participants": {"type": "array", "items": {"type": "string"}},
        "say": text("Left out for keys that only read, as are `lang`, `play` and `params`."),
        "lang": text("The text's language."),
        "play": text("The recording."),
        "params": {"type": "object", "description": "Further form fields for the provider."},
        "caller": text("The number that shows."),
        "tags": {"type": "array", "items": {"type": "string"}},
        "key": text("The idempotency key."),
        "webhook": text("Its own URL to tell."),
        "created_at": WHEN,
        "due_at": WHEN,
        "expires_at": WHEN,
        "finished_at": WHEN,
        "attempts": {"type": "array", "items": ref("Attempt")},
        "callid": text("The latest call."),
        "conferenceid": text("The latest conference."),
        "cost": number("Credits, of all its attempts."),
        "duration": number("Seconds that the call lasted."),
        "next_action": {
            "type": ["object", "null"],
            "properties": {"what": {"type": "string"}, "at": WHEN},
        },
        "timeline": {"type": "array", "items": ref("Event")},
    },
    required=["id", "kind", "state", "priority", "tags", "attempts", "timeline"],
)
WHY_VIEW = object_(
    {
        "id": {"type": "string"},
        "state": {"type": "string", "enum": values(State)},
        "reason": text("Why it ended so."),
        "hold_reason": text("Why it is held."),
        "why": {"type": "string", "description": "In words."},
        "position": number("Its place in line, from 1.", "integer"),
        "expected_at": WHEN,
        "next_action": {"type": ["object", "null"]},
    }
)
PROBLEM = object_(
    {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong."},
        "remedy": {"type": "string", "description": "What to do about it."},
        "errors": {
            "type": "array",
            "description": "The fields that are to blame.",
            "items": object_({"field": {"type": "string"}, "detail": {"type": "string"}}),
        },
    },
    required=["title", "status", "detail"],
)
HOLD = object_(
    {
        "gate": {"type": "string"},
        "since": WHEN,
        "why": {"type": "string"},
        "required": {"type": "number"},
        "ajar": {"type": "boolean"},
    }
)
FILTER = object_(
    {
        "state": {
            "type": ["string", "array", "null"],
            "items": {"type": "string", "enum": values(State)},
            "description": "A state, or several.",
        },
        "reason": text("Reason of failure or hold, such as no_answer."),
        "tag": text("A tag."),
        "recipient": text(
            "A number, or its last digits: at most four of them for keys that only read."
        ),
        "producer": text("Who asked for it: a key's name."),
        "since": text("Created since: ISO 8601 with zone, or how long ago (`2h`)."),
        "until": text("Created before."),
    },
    additionalProperties=False,
    description="Which jobs are meant; what is left out does not matter.",
)
LEFT_OUT = object_(
    {
        "reason": {"type": "string"},
        "why": {"type": "string", "description": "In words."},
        "count": {"type": "integer"},
        "ids": {"type": "array", "items": {"type": "string"}, "description": "The first of them."},
    }
)
ACTION_VIEW = object_(
    {
        "id": {"type": "string", "description": "To begin it, and to ask how it stands."},
        "act": {"type": "string", "enum": values(BulkActionKind)},
        "state": {"type": "string", "enum": ["previewed", "running", "done", "stopped"]},
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
        "tag": text("A retry's jobs have this tag: to list, pause, cancel or limit them by."),
    },
    required=["id", "act", "matched", "chosen"],
)
ENTRY = object_(
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
    "Act": ACTION_VIEW,
    "LeftOut": LEFT_OUT,
    "Entry": ENTRY,
    "Gate": HOLD,
    "Problem": PROBLEM,
}
