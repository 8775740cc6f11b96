"""The components of the OpenAPI document that are of alerts, and of who is on call."""

from __future__ import annotations

from dispatcher.model.alert import Acknowledgement, AlertReason, AlertState, Severity
from workers.gateway.api.schema_words import WHEN, number, object_, text, values

ALERT_VIEW = object_(
    {
        "id": {"type": "string"},
        "state": {"type": "string", "enum": values(AlertState)},
        "reason": {
            "type": ["string", "null"],
            "enum": [*values(AlertReason), None],
            "description": "Why nobody could be reached.",
        },
        "severity": {"type": "string", "enum": values(Severity)},
        "summary": {"type": "string", "description": "What is wrong, as monitoring says it."},
        "source": {"type": "string", "description": "Who reported it; `bundle`: several together."},
        "chain": text("Its chain; null where nobody is called."),
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
        "link": text("Monitoring's own page."),
        "fingerprint": {"type": "string", "description": "What monitoring knows it by."},
        "started_at": {**WHEN, "description": "When it began."},
        "received_at": {**WHEN, "description": "When it was first reported."},
        "heard_at": {**WHEN, "description": "When it was last reported."},
        "rung_at": {**WHEN, "description": "When its first call was sent to the provider."},
        "acknowledged_at": WHEN,
        "ended_at": {
            **WHEN,
            "description": "When it was resolved or cancelled, or its chain ended.",
        },
        "next_at": {**WHEN, "description": "When something happens next, without news."},
        "acknowledged_by": text("Who has it."),
        "acknowledged_how": {
            "type": ["string", "null"],
            "enum": [*values(Acknowledgement), None],
        },
        "reports": {"type": "integer", "description": "How often it was reported as firing."},
        "told_by": text("The bundle whose calls tell of it."),
        "members": {"type": "integer", "description": "Of a bundle: how many alerts are in it."},
        "firing_members": {"type": "integer", "description": "How many of these fire."},
        "round": {"type": "integer", "description": "How often its chain was begun."},
        "step": {"type": "integer", "description": "The step of its chain."},
        "calls": {
            "type": "array",
            "items": {"type": "object"},
            "description": "Who was called when, and what became of it. Lists have none.",
        },
        "timeline": {"type": "array", "items": {"type": "object"}},
        "why": {"type": "string", "description": "Why it stands so, and what happens next."},
        "alerts": {
            "type": "array",
            "items": {"type": "object"},
            "description": "Of a bundle: the alerts in it, 200 at most.",
        },
    },
    required=["id", "state", "severity", "summary", "source"],
    description="One incident that monitoring reported. Telephone numbers in it are masked.",
)
_TOOK = object_(
    {
        "alerts": {"type": "integer", "description": "Of how many alerts."},
        "median": number("Seconds that half of them took at most."),
        "p95": number("Seconds that 95 of 100 took at most."),
    }
)
_OF_CHAIN = {
    "alerts": {"type": "integer", "description": "Alerts, without bundles."},
    "by_state": {"type": "object", "additionalProperties": {"type": "integer"}},
    "bundles": {"type": "integer"},
    "drills": {"type": "integer", "description": "Chains that were rung to see that they ring."},
    "to_first_ring": _TOOK,
    "to_acknowledge": _TOOK,
    "unreached": {"type": "object", "additionalProperties": {"type": "integer"}},
    "calls": {"type": "integer"},
}
ALERT_SUMMARY = object_(
    {
        "since": WHEN,
        "until": WHEN,
        "zone": {
            "type": "string",
            "description": "Whose nights (22:00 to 07:00) are counted where a contact has no zone.",
        },
        **_OF_CHAIN,
        "chains": {"type": "object", "additionalProperties": object_(_OF_CHAIN)},
        "people": {
            "type": "object",
            "additionalProperties": object_(
                {"calls": {"type": "integer"}, "at_night": {"type": "integer"}}
            ),
            "description": "Who was called how often.",
        },
    },
    required=["since", "until", "alerts", "chains", "people"],
)
ON_CALL = object_(
    {
        "version": {"type": "integer", "description": "0: nobody ever said who is on call."},
        "at": {**WHEN, "description": "Since when it is in force."},
        "by": text("Who put it in force; `file`: a process that watches the chains file."),
        "refused": {
            "type": "string",
            "description": "What is wrong with the file that came since, if anything.",
        },
        "files": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The chains files that are watched: with one, only it is in force.",
        },
        "on_call": {
            "type": "object",
            "description": "What a chains file says, without what is as usual. Numbers are masked,"
            " unless `unmask` asks for them.",
        },
    },
    required=["version", "on_call"],
)
