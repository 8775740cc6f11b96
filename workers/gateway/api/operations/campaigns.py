"""The operations of campaigns."""

from __future__ import annotations

from workers.gateway.api import problem_examples
from workers.gateway.api.operations.jobs import A_CURSOR
from workers.gateway.api.operations.operation import answer, operation
from workers.gateway.api.schema_words import object_, ref, text

_SPRING = {
    "name": "spring",
    "tag": "campaign:spring",
    "jobs": 20000,
    "purged": 0,
    "waiting": 11873,
    "in_progress": 12,
    "answered": 6204,
    "marked_reached": 0,
    "not_answered": 1702,
    "not_allowed": 6,
    "expired": 0,
    "cancelled": 190,
    "attempts": 9811,
    "failed": {"no_answer": 1702, "call_failed": 13, "not_allowed": 6},
    "held": {},
    "talked": 148211.0,
    "credits": 62040.0,
    "by_attempt": [
        {"attempt": 1, "dialled": 8127, "answered": 5390},
        {"attempt": 2, "dialled": 1684, "answered": 814},
    ],
    "by_hour": [{"at": "2026-11-23T10:00:00.000Z", "dialled": 9811, "answered": 6204}],
    "first_at": "2026-11-23T09:58:02.114Z",
    "dialled_at": "2026-11-23T10:00:00.310Z",
    "ended_at": "2026-11-23T10:41:07.902Z",
    "pace": 196.4,
    "expected_end": "2026-11-23T11:41:38.000Z",
    "at": "2026-11-23T10:41:08.020Z",
}
_LISTED = {name: value for name, value in _SPRING.items() if name != "by_hour"}

LIST = operation(
    {
        200: answer(
            "A page.",
            object_(
                {
                    "campaigns": {"type": "array", "items": ref("Campaign")},
                    "cursor": text("Pass it on for the next page; null on the last."),
                }
            ),
            {"campaigns": [_LISTED], "cursor": A_CURSOR},
        )
    },
    problem_examples.WRONG_LIMIT,
)
SHOW = operation(
    {200: answer("The campaign.", ref("Campaign"), _SPRING)},
    problem_examples.NO_CAMPAIGN,
    problem_examples.NO_NAME,
)
