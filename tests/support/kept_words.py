"""What 0.1.0 said, and what is said now: new answers in its words, so that both can be compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from dispatcher.model.job import Job

FACTS = {
    "hold": "gate", "half_open": "ajar",
    "action": "act", "selected": "chosen", "done": "did", "remaining": "left",
}  # fmt: skip
RENAMED = {
    **FACTS, "selection": "meant", "skipped": "refused", "excluded": "left_out",
    "started_at": "begun_at", "note": "why",
}  # fmt: skip
KINDS = {
    "hold.started": "gate.closed",
    "hold.half_open": "gate.ajar",
    "hold.ended": "gate.opened",
    "balance.check": "balance.look",
}
_OF_JOB = (
    "id", "kind", "state", "reason", "hold_reason", "outcome", "priority", "recipient",
    "participants", "say", "lang", "play", "caller", "tags", "key", "webhook", "created_at",
    "due_at", "expires_at", "finished_at", "attempts", "callid", "conferenceid", "cost", "duration",
    "next_action", "timeline",
)  # fmt: skip
_OF_ATTEMPT = (
    "number", "started_at", "sent_at", "ended_at", "result", "callid", "conferenceid", "cost",
    "error", "participants",
)  # fmt: skip
_OF_PARTICIPANT = ("recipient", "callid", "status", "cost", "duration")


def job_as_before(job: Job) -> dict[str, Any]:
    """Return the facts of a job that 0.1.0 told of one."""
    found = _only(job.to_dict(), _OF_JOB)
    found["attempts"] = [_attempt(each) for each in found["attempts"]]
    if found["next_action"]:
        found["next_action"] = {"at": found["next_action"]["at"]}
    return found


def as_before(value: Any, names: Mapping[str, str] = RENAMED) -> Any:
    """Return what a dict says, by the names and words that 0.1.0 had for it."""
    if isinstance(value, dict):
        return {
            names.get(name, name): as_before(each, FACTS if name == "facts" else names)
            for name, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [as_before(each, names) for each in value]
    return KINDS.get(value, value) if isinstance(value, str) else value


def digest(value: Any) -> str:
    """Return what is kept of a value that would take too much room."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:6]


def _attempt(found: dict[str, Any]) -> dict[str, Any]:
    told = _only(found, _OF_ATTEMPT)
    if "participants" in told:
        told["participants"] = [_only(leg, _OF_PARTICIPANT) for leg in told["participants"]]
    return told


def _only(found: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: found[name] for name in names if name in found}
