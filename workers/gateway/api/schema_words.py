"""What the schemas of the OpenAPI document are made of."""

from __future__ import annotations

from typing import Any

from dispatcher.store.audit import LONGEST_NOTE

Schema = dict[str, Any]

NUMBER = {"type": "string", "description": "A number in E.164.", "examples": ["+818012340001"]}
WHEN: Schema = {"type": ["string", "null"], "format": "date-time"}
DURATION: Schema = {
    "type": ["number", "string", "null"],
    "description": "Seconds, or `30s`, `15m`, `2h`, `7d`.",
}
MOMENT: Schema = {
    "type": ["number", "string", "null"],
    "description": "A delay (seconds, or `15m`), or ISO 8601 with a zone.",
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


NOTE = text("Why, for the timeline and the audit log.", maxLength=LONGEST_NOTE)
