"""The operations of the do-not-call list."""

from __future__ import annotations

from workers.gateway.api import problem_examples
from workers.gateway.api.operations.operation import answer, body_of, operation
from workers.gateway.api.problem_examples import JOB_ID
from workers.gateway.api.schema_words import MOMENT, NOTE, Schema, object_, ref, text
from workers.gateway.api.schemas import DNC_TAG

_NUMBER: Schema = {
    "type": ["string", "array"],
    "items": {"type": "string"},
    "description": "A number or several, or keyed hashes of this list.",
}
_REGION = text("The country, ISO 3166, as of which numbers are written.")
_REMOVE = object_(
    {"number": _NUMBER, "region": _REGION, "tag": DNC_TAG, "note": NOTE},
    required=["number"],
    additionalProperties=False,
)
_ADD = object_(
    {
        "number": _NUMBER,
        "region": _REGION,
        "reason": text("Why, for those who look at the list."),
        "until": {**MOMENT, "description": f"When it ends; default never. {MOMENT['description']}"},
        "tag": DNC_TAG,
        "keep_number": {
            "type": ["boolean", "null"],
            "description": "`false`: only its keyed hash is kept.",
        },
    },
    required=["number"],
    additionalProperties=False,
)
_EXAMPLE = {
    "number": "+8180****4567",
    "hash": "1f0c9a2e:2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
    "tag": None,
    "reason": "asked on 3 May",
    "added_by": "api:ops",
    "added_at": "2026-11-23T10:02:11.020Z",
    "until": None,
}

LIST = operation(
    {
        200: answer(
            "A page of entries, and the cursor of the next one.",
            object_(
                {
                    "entries": {"type": "array", "items": ref("DoNotCallEntry")},
                    "cursor": text("Asks for the next page; null: there is none."),
                }
            ),
            {"entries": [_EXAMPLE], "cursor": None},
        )
    },
    problem_examples.WRONG_LIMIT,
)
ADD = operation(
    {
        200: answer(
            "What became of each number.",
            object_(
                {
                    "answers": {
                        "type": "array",
                        "items": {"type": "string", "enum": ["new", "longer", "known"]},
                        "description": "`longer`: it was on the list for less long.",
                    },
                    "calling": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "Jobs that may be calling one of them now.",
                    },
                }
            ),
            {"answers": ["new"], "calling": [JOB_ID]},
        )
    },
    problem_examples.WRONG_NUMBER,
    body=body_of(_ADD, {"number": "+818012345678", "reason": "asked on 3 May"}),
)
REMOVE = operation(
    {
        200: answer(
            "How many entries of each number are gone.",
            object_({"removed": {"type": "array", "items": {"type": "integer"}}}),
            {"removed": [1]},
        )
    },
    problem_examples.WRONG_NUMBER,
    body=body_of(_REMOVE, {"number": "+818012345678", "note": "asked again"}, required=False),
)
