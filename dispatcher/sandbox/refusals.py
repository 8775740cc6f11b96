"""Every answer that is not the one the client hoped for (provider docs: errors page)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any


class Refusal(Exception):
    """An answer in place of the ordinary one. A body of text is HTML, all else is JSON."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def detail(status: int, text: str) -> Refusal:
    return Refusal(status, {"detail": text})


def field_errors(errors: Mapping[str, Sequence[str]]) -> Refusal:
    return Refusal(400, dict(errors))


def unauthorized() -> Refusal:
    return Refusal(401, {"detail": "Invalid sid/token"}, {"WWW-Authenticate": 'Basic realm="api"'})


def not_enough_credits(required: Decimal) -> Refusal:
    """403 that names what this call needs, as the provider words it."""
    return Refusal(
        403, {"non_field_errors": [f"Not enough credits, required: {required.normalize():f}"]}
    )


def throttled(wait: int) -> Refusal:
    """429 with the wait in whole seconds, in the text and in Retry-After; 0: it tells none."""
    text = "Request was throttled."
    if not wait:
        return detail(429, text)
    text += f" Expected available in {wait} second{'' if wait == 1 else 's'}."
    return Refusal(429, {"detail": text}, {"Retry-After": str(wait)})


def not_found() -> Refusal:
    return detail(404, "Not found.")


def server_error(status: int = 500) -> Refusal:
    """5xx with a web server's page, since the provider documents no body."""
    reason = {500: "Server Error", 503: "Service Unavailable"}[status]
    return Refusal(status, f"<html><body><h1>{reason} ({status})</h1></body></html>")
