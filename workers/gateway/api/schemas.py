"""The components of the OpenAPI document; tests hold them against what the routes answer."""

from __future__ import annotations

from dispatcher.model import spoken_code
from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.kinds import Kind
from dispatcher.model.request_limits import LONGEST_KEY, LONGEST_TEXT, MOST_ATTEMPTS
from dispatcher.model.states import Dnc, OnUncertain, Priority, State
from dispatcher.model.tags import LONGEST_TAG, MOST_TAGS
from dispatcher.provider import registry
from dispatcher.values import meta, params
from workers.gateway.api.alert_schemas import ALERT_SUMMARY, ALERT_VIEW, ON_CALL
from workers.gateway.api.schema_words import (
    DURATION,
    MOMENT,
    NUMBER,
    WHEN,
    number,
    object_,
    ref,
    text,
    values,
)

CAN = registry.registration().capabilities

REQUEST = object_(
    {
        "region": text(
            "The country (ISO 3166, such as JP) as in which the numbers are written: with it they"
            " may be as people there write them, else they must be E.164.",
        ),
        "recipient": {
            **NUMBER,
            "description": "The number to call, in E.164, or with `region` as written there.",
        },
        "participants": {
            "type": "array",
            "items": NUMBER,
            "minItems": min(CAN.participants, default=0),
            "maxItems": max(CAN.participants, default=0),
            "description": "Instead of `recipient`: who is brought together in a conference.",
        },
        "say": text("The text to say.", maxLength=LONGEST_TEXT),
        "play": text("Instead of `say`: the http URL of an MP3 to play."),
        "lang": text("The language of the text, ISO 639-1; else the one of the settings, or `en`."),
        "caller": text("The number shown to the recipient, instead of the account's."),
        "tags": {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": LONGEST_TAG},
            "maxItems": MOST_TAGS,
            "description": "For filters, pauses and spending limits. Jobs of a tag that begins with"
            " `campaign:` take turns with others.",
        },
        "key": text(
            "The idempotency key, unless the header Idempotency-Key has it: the same key and"
            " request give the same job.",
            minLength=1,
            maxLength=LONGEST_KEY,
        ),
        "priority": {
            "type": "string",
            "enum": values(Priority),
            "description": "How soon it is dialled: `normal` unless told, a code `urgent`.",
        },
        "at": {**MOMENT, "description": f"When to call. {MOMENT['description']}"},
        "expires": {**MOMENT, "description": f"The deadline. {MOMENT['description']}"},
        "max_attempts": number("The most attempts.", "integer", minimum=1, maximum=MOST_ATTEMPTS),
        "redial": number(
            "How many times to call again if nobody answers.",
            "integer",
            minimum=0,
            maximum=MOST_ATTEMPTS - 1,
        ),
        "redial_after": {
            **DURATION,
            "description": f"The pause before each redial. {DURATION['description']}",
        },
        "on_uncertain": {
            "type": ["string", "null"],
            "enum": [*values(OnUncertain), None],
            "description": "What to do if nobody can know whether the call was placed. `redial`:"
            " call again. `hold`: the job ends as failed/outcome_unknown, and a person decides.",
        },
        "evidence_window": {
            **DURATION,
            "description": f"How long to wait for evidence of a call. {DURATION['description']}",
        },
        "call_deadline": {
            **DURATION,
            "description": f"How long a call may take to end. {DURATION['description']}",
        },
        "hours": text("Calling hours by the recipient's clock: `08:00-21:00`, or `any`."),
        "backoff_longest": {
            **DURATION,
            "description": "The longest pause between attempts that reached nobody."
            f" {DURATION['description']}",
        },
        "webhook": text("A URL of its own that is told how the job ends."),
        "code": text(
            "A one-time code, read digit by digit and twice, after `say` or a greeting in `lang`."
            " It is urgent (a right of the key) and expires after 10 minutes unless told, is shown"
            " nowhere, and removed when the job has ended.",
            pattern=f"^[0-9]{{{spoken_code.SHORTEST},{spoken_code.LONGEST}}}$",
        ),
        "answered_after": {
            **DURATION,
            "description": "An answer that is shorter counts as not reached, and is redialled."
            f" {DURATION['description']}",
        },
        "dnc": {
            "type": ["string", "null"],
            "enum": [*values(Dnc), None],
            "description": "`exempt`: call also who is on the do-not-call list; a right of the"
            " key.",
        },
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
        "meta": {
            "type": ["object", "null"],
            "additionalProperties": {"type": "string"},
            "description": "Fields of your own, texts by name: they come back with the job, in"
            f" webhooks and in exports. {meta.MOST_BYTES} bytes as JSON at most.",
        },
        "traceparent": text(
            "The trace that the call belongs to, in the W3C's form; left out, the header of this"
            " name says it.",
            pattern="^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$",
        ),
    },
    additionalProperties=False,
    description="A text or a recording for one recipient, or a conference of two or three people.",
)

ATTEMPT = object_(
    {
        "number": {"type": "integer"},
        "provider": text("Who was asked to call; null where release 0.1 asked."),
        "account": text("Whose limits and credit it counted against."),
        "recipients": {"type": "array", "items": NUMBER},
        "started_at": WHEN,
        "sent_at": WHEN,
        "ended_at": WHEN,
        "result": text("What it came to, in a word of ours."),
        "callid": text("The provider's call, or calls with commas between."),
        "conferenceid": text("The provider's conference."),
        "cost": number("Credits."),
        "duration": number("Seconds that were talked."),
        "error": text("What went wrong."),
        "participants": {"type": "array", "items": {"type": "object"}},
    },
)
EVENT = object_(
    {
        "at": WHEN,
        "from": text("The state before."),
        "to": {"type": "string", "enum": values(State)},
        "reason": text("The reason, in one word."),
        "actor": {"type": "string", "description": "Who made the change."},
        "why": {"type": "string", "description": "In words."},
    }
)
JOB_VIEW = object_(
    {
        "new": {
            "type": "boolean",
            "description": "Only in the answer to POST: `false` means already enqueued.",
        },
        "warnings": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Only in the answer to POST, where something may be wrong: the text is"
            " not written in the letters of its language.",
        },
        "id": {"type": "string"},
        "kind": {"type": "string", "enum": values(Kind)},
        "state": {"type": "string", "enum": values(State)},
        "reason": text("Why it ended as it did."),
        "hold_reason": text("Why it is held."),
        "outcome": text("How the call ended, in the provider's word."),
        "priority": {"type": "string", "enum": values(Priority)},
        "recipient": {
            "type": "string",
            "description": "Masked for keys with only the scope `read`.",
        },
        "participants": {"type": "array", "items": {"type": "string"}},
        "say": text("Left out for keys that only read, as are `lang`, `play` and `params`."),
        "lang": text("The text's language."),
        "play": text("The recording."),
        "code": text("`hidden`, where it has a code."),
        "params": {"type": "object", "description": "Further form fields for the provider."},
        "caller": text("The number that shows."),
        "tags": {"type": "array", "items": {"type": "string"}},
        "key": text("The idempotency key."),
        "meta": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Fields of the producer's own. Numbers in them are masked for keys that"
            " only read.",
        },
        "webhook": text("The URL that is told how the job ended."),
        "dnc": {"type": "string", "enum": values(Dnc)},
        "alert": text("The id of the alert whose chain it is a call of."),
        "traceparent": text("The trace that it belongs to, in the W3C's form."),
        "created_at": WHEN,
        "due_at": WHEN,
        "expires_at": WHEN,
        "finished_at": WHEN,
        "attempts": {"type": "array", "items": ref("Attempt")},
        "callid": text("The id of the latest call."),
        "conferenceid": text("The id of the latest conference."),
        "cost": number("Credits of all attempts together."),
        "duration": number("How long the call lasted, in seconds."),
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
        "reason": text("Why it ended as it did."),
        "hold_reason": text("Why it is held."),
        "why": {"type": "string", "description": "In words."},
        "position": number("Its place in line, from 1.", "integer"),
        "expected_at": WHEN,
        "next_action": {"type": ["object", "null"]},
    }
)
PROBLEM = object_(
    {
        "type": {
            "type": "string",
            "description": "`urn:voice-dispatcher:do-not-call`: the number is on the do-not-call"
            " list. `about:blank`: the status says it.",
        },
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong."},
        "remedy": {"type": "string", "description": "What to do about it."},
        "errors": {
            "type": "array",
            "description": "The fields that are wrong.",
            "items": object_({"field": {"type": "string"}, "detail": {"type": "string"}}),
        },
    },
    required=["title", "status", "detail"],
)
HOLD = object_(
    {
        "name": {"type": "string"},
        "since": WHEN,
        "why": {"type": "string"},
        "required": {"type": "number"},
        "half_open": {"type": "boolean"},
    }
)
FILTER = object_(
    {
        "state": {
            "type": ["string", "array", "null"],
            "items": {"type": "string", "enum": values(State)},
            "description": "One state or several.",
        },
        "reason": text("The reason of a failure or hold, such as no_answer."),
        "tag": text("A tag."),
        "recipient": text(
            "A number or its last digits; for keys with only the scope `read` at most four."
        ),
        "producer": text("The producer; over HTTP the name of its key."),
        "since": text("Enqueued since: ISO 8601 with zone, or how long ago (`2h`)."),
        "until": text("Enqueued before, in the same form."),
    },
    additionalProperties=False,
    description="Which jobs to select. Fields that are left out match every job.",
)
NOT_DONE = object_(
    {
        "reason": {"type": "string"},
        "why": {"type": "string", "description": "In words."},
        "count": {"type": "integer"},
        "ids": {"type": "array", "items": {"type": "string"}, "description": "The first few."},
    }
)
ACTION_VIEW = object_(
    {
        "id": {"type": "string", "description": "To start the action and to see its progress."},
        "action": {"type": "string", "enum": values(BulkActionKind)},
        "priority": {
            "type": ["string", "null"],
            "enum": [*values(Priority), None],
            "description": "The new priority, if the action sets one.",
        },
        "state": {"type": "string", "enum": ["previewed", "running", "done", "stopped"]},
        "selection": {"type": "string", "description": "The filter, or the ids, in words."},
        "actor": {"type": "string"},
        "note": {"type": "string"},
        "started_at": WHEN,
        "ended_at": WHEN,
        "matched": {"type": "integer", "description": "Jobs that match."},
        "selected": {"type": "integer", "description": "Of these, the jobs it acts on."},
        "done": {"type": "integer"},
        "remaining": {"type": "integer"},
        "skipped": {
            "type": "array",
            "items": ref("NotDone"),
            "description": "Jobs that changed after the preview.",
        },
        "expected_credits": {"type": "number"},
        "credits_if_all_answered": {"type": "number"},
        "may_have_been_called": {
            "type": "integer",
            "description": "Of the selected jobs, those whose person may have been called already.",
        },
        "excluded": {"type": "array", "items": ref("NotDone")},
        "tag": text("The tag of a retry's jobs, to list, pause, cancel or limit them."),
    },
    required=["id", "action", "matched", "selected"],
)
ENTRY = object_(
    {
        "at": WHEN,
        "actor": {"type": "string"},
        "action": {"type": "string"},
        "target": {"type": "string"},
        "note": {"type": "string"},
        "facts": {"type": "object"},
    }
)
_CALLS = {
    "dialled": {"type": "integer"},
    "answered": {"type": "integer"},
}
_COUNTED = {
    "jobs": "Jobs that were accepted.",
    "purged": "Those of them whose records are gone; what became of them still counts.",
    "waiting": "Jobs that wait to be dialled, held ones among them.",
    "in_progress": "Jobs whose call is under way, or may be.",
    "answered": "Jobs whose call was answered.",
    "marked_reached": "Jobs of which a person said that they reached somebody.",
    "not_answered": "Jobs that ended because nobody answered.",
    "not_allowed": "Jobs that the rules do not allow.",
    "expired": "Jobs whose deadline passed.",
    "cancelled": "Jobs that were cancelled.",
    "attempts": "Attempts of all jobs together.",
}
CAMPAIGN = object_(
    {
        "name": {"type": "string"},
        "tag": {"type": "string", "description": "What its jobs share: `campaign:` and the name."},
        **{name: {"type": "integer", "description": why} for name, why in _COUNTED.items()},
        "failed": {
            "type": "object",
            "additionalProperties": {"type": "integer"},
            "description": "Jobs that failed, by reason; `no_answer` and `not_allowed` as well.",
        },
        "held": {
            "type": "object",
            "additionalProperties": {"type": "integer"},
            "description": "Jobs that are held, by the reason of the hold.",
        },
        "talked": {"type": "number", "description": "Seconds that were talked in all."},
        "credits": {"type": "number", "description": "What all calls cost, as far as is known."},
        "by_attempt": {
            "type": "array",
            "items": object_({"attempt": {"type": "integer"}, **_CALLS}),
            "description": "First attempts, second ones …; 20 stands for all later ones, too.",
        },
        "by_hour": {
            "type": "array",
            "items": object_({"at": WHEN, **_CALLS}),
            "description": "By hour of the call, and of the answer; the latest 31 days. Lists"
            " have none.",
        },
        "first_at": {**WHEN, "description": "The first job was accepted."},
        "dialled_at": {**WHEN, "description": "The first call was dialled."},
        "ended_at": {**WHEN, "description": "A job ended last."},
        "pace": {"type": "number", "description": "Jobs that ended in a minute, of the last 10."},
        "expected_end": {**WHEN, "description": "When all will have ended at this pace."},
        "at": {**WHEN, "description": "When all this was so."},
    },
    required=["name", "tag", "jobs", "at"],
)
DNC_TAG = text("Only for jobs with this tag; left out: for all.")
DNC_ENTRY = object_(
    {
        "number": text("Masked, unless `unmask` asks for it; null: only its hash is kept."),
        "hash": {"type": "string", "description": "The keyed hash of the number."},
        "tag": DNC_TAG,
        "reason": {"type": "string"},
        "added_by": {"type": "string"},
        "added_at": WHEN,
        "until": {**WHEN, "description": "When it ends; null: never."},
    },
    required=["hash", "reason", "added_by", "added_at"],
)
COMPONENTS = {
    "OnCall": ON_CALL,
    "Alert": ALERT_VIEW,
    "AlertSummary": ALERT_SUMMARY,
    "Campaign": CAMPAIGN,
    "JobRequest": REQUEST,
    "Job": JOB_VIEW,
    "Attempt": ATTEMPT,
    "Event": EVENT,
    "Why": WHY_VIEW,
    "Filter": FILTER,
    "BulkAction": ACTION_VIEW,
    "NotDone": NOT_DONE,
    "AuditEntry": ENTRY,
    "Hold": HOLD,
    "DoNotCallEntry": DNC_ENTRY,
    "Problem": PROBLEM,
}
