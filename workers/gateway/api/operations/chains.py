"""The operations of who is called for alerts."""

from __future__ import annotations

from workers.gateway.api import problem_examples
from workers.gateway.api.limits import MANY
from workers.gateway.api.operations.operation import answer, body_of, operation
from workers.gateway.api.schema_words import WHEN, Schema, object_, ref, text

_ON_CALL = {
    "contacts": {
        "ann": {"numbers": ["+818012340002"], "lang": "en"},
        "bob": {"numbers": ["+818012340001"], "lang": "ja"},
    },
    "rotas": {"primary": {"members": ["ann", "bob"], "start": "2026-11-23", "zone": "Asia/Tokyo"}},
    "chains": {"database": {"steps": [{"call": ["primary"], "times": 2}], "repeat": 3}},
    "routes": [{"match": {"severity": "critical"}, "chain": "database"}, {"chain": "none"}],
}
_MASKED = {
    **_ON_CALL,
    "contacts": {
        "ann": {"numbers": ["+8180****0002"], "lang": "en"},
        "bob": {"numbers": ["+8180****0001"], "lang": "ja"},
    },
}
_IF_MATCH: Schema = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "schema": {"type": "string"},
    "description": "The version that is changed, as `ETag` says it; `*`: whatever is there.",
}
_A_SWAP = {
    "id": "5f1c22ab",
    "rota": "primary",
    "who": "bob",
    "from": "2026-12-24",
    "to": "2026-12-27",
    "why": "leave",
}
_SWAP: Schema = object_(
    {
        "id": {"type": "string"},
        "rota": {"type": "string"},
        "who": {"type": "string"},
        "from": {"type": "string"},
        "to": {"type": "string"},
        "why": {"type": "string"},
    }
)
_TURN: Schema = object_(
    {
        "from": WHEN,
        "to": {**WHEN, "description": "When it ends; not part of it."},
        "who": text("A contact or team; null: nobody."),
        "why": {"type": "string", "description": "What overrules the rota, if anything."},
    }
)

SHOW = operation(
    {
        200: answer(
            "What is in force.",
            ref("OnCall"),
            {
                "version": 3,
                "at": "2026-11-23T10:02:11.020Z",
                "by": "api:ops",
                "refused": "",
                "files": [],
                "on_call": _MASKED,
            },
        )
    },
    problem_examples.WRONG_UNMASK,
)
PUBLISH = operation(
    {
        200: answer(
            "The version that is in force now.",
            object_(
                {
                    "version": {"type": "integer"},
                    "warnings": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "What looks like a mistake, and who could not be"
                        " called now.",
                    },
                }
            ),
            {"version": 4, "warnings": []},
        )
    },
    problem_examples.NO_VERSION,
    problem_examples.OTHER_VERSION,
    problem_examples.FILE_IN_FORCE,
    problem_examples.WRONG_CHAINS,
    body=body_of(object_({}, additionalProperties=True), _ON_CALL),
    parameters=[_IF_MATCH],
    limit=MANY,
)
ROTA = operation(
    {
        200: answer(
            "Its turns, in order and without gaps.",
            object_(
                {
                    "name": {"type": "string"},
                    "zone": {"type": "string"},
                    "turns": {"type": "array", "items": _TURN},
                    "swaps": {"type": "array", "items": _SWAP},
                }
            ),
            {
                "name": "primary",
                "zone": "Asia/Tokyo",
                "turns": [
                    {
                        "from": "2026-11-23T10:02:11.020Z",
                        "to": "2026-11-30T00:00:00.000Z",
                        "who": "ann",
                        "why": "",
                    }
                ],
                "swaps": [{**_A_SWAP, "by": "api:ops"}],
            },
        )
    },
    problem_examples.NO_ROTA,
    problem_examples.WRONG_DAYS,
)
SWAP = operation(
    {200: answer("The swap.", _SWAP, _A_SWAP)},
    problem_examples.NO_ROTA,
    problem_examples.WRONG_SWAP,
    body=body_of(
        object_(
            {
                "who": {
                    "type": "string",
                    "description": "A contact or team, or `nobody`.",
                },
                "from": {
                    "type": "string",
                    "description": "A day, or a time (ISO 8601), by the rota's clock.",
                },
                "to": {"type": "string", "description": "Until when; a day is not part of it."},
                "note": text("Why, up to 200 characters."),
            },
            required=["who", "from", "to"],
            additionalProperties=False,
        ),
        {"who": "bob", "from": "2026-12-24", "to": "2026-12-27", "note": "leave"},
    ),
)
UNSWAP = operation(
    {
        200: answer(
            "It is ended.",
            object_({"id": {"type": "string"}, "ended": {"type": "boolean"}}),
            {"id": "5f1c22ab", "ended": True},
        )
    },
    problem_examples.NO_SWAP,
    problem_examples.WRONG_ROTA,
)
