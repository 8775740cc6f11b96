"""What the fuzz has to be told: how lines are written, and to wait for nothing for long."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import schemathesis

from workers.gateway.api.jobs import LONGEST_WAIT


@schemathesis.serializer("application/x-ndjson")
def lines(_: Any, value: Any) -> bytes:
    """Write a list as lines of JSON, and anything else as one line."""
    rows = value if isinstance(value, list) else [value]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@schemathesis.hook
def before_call(_: Any, case: Any, __: Any) -> None:
    """Wait for a moment at most: nobody is there who would end a job."""
    query = case.query or {}
    with suppress(TypeError, ValueError):
        if 0 < float(query.get("wait", 0)) <= LONGEST_WAIT:
            query["wait"] = 0.01
