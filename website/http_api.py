"""The page of all HTTP routes, and the OpenAPI document that it is made of: what a gateway serves
at `/docs` and `/openapi.json`.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from config.settings import Settings
from workers.gateway.app import create_gateway
from workers.gateway.reference import content

HEAD = """# HTTP routes

Every route of the gateway, with its scope, fields and answers, as a running gateway shows it at
`/docs`. [The HTTP API](http.md) explains it by examples. The same for programs is the
[OpenAPI document](openapi.json).

"""
_NOWHERE = "redis://127.0.0.1:6379/0"
"""Nothing is connected to: only the routes are looked at."""


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    gateway = create_gateway(Settings.load(redis_url=_NOWHERE, broker_url=_NOWHERE))
    return gateway.openapi()


def document_text() -> str:
    """Return the OpenAPI document as JSON."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def page() -> str:
    """Return the page, in Markdown that is HTML for the most part."""
    return HEAD + content(document()) + "\n"
