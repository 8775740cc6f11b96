"""Renders pages: the templates, what they are given to write with, and the headers of a page."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from dispatcher import __version__
from dispatcher.model.job import iso
from dispatcher.model.states import State
from dispatcher.policy.credit_forecast import shown, whole
from dispatcher.store.audit import LONGEST_NOTE
from dispatcher.values.durations import spoken
from dispatcher.values.masking import mask_number, mask_text
from workers.gateway.console.sessions import Visitor

HERE = Path(__file__).parent
ROOT = "/console"

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self';"
    " img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none';"
    " base-uri 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
"""No inline script or style, nothing from elsewhere, in nobody's frame."""

TYPES = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""Every file that is served, read once: no path from a request reaches the file system."""

KINDS = {
    State.COMPLETED: "well",
    State.FAILED: "bad",
    State.EXPIRED: "bad",
    State.UNCERTAIN: "warn",
    State.HELD: "warn",
}
"""How a state looks; the others look plain. Its word is always there, too."""


class Pages:
    """The templates. `flower` is where people reach Flower, '' where they do not."""

    def __init__(self, flower: str = "") -> None:
        self._assets = {name: (HERE / "static" / name).read_bytes() for name in TYPES}
        self._jinja = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._jinja.globals.update(
            root=ROOT,
            version=__version__,
            flower=flower.rstrip("/"),
            asset=self._url,
            kinds=KINDS,
            longest_note=LONGEST_NOTE,
        )
        self._jinja.filters.update(
            when=when,
            ago=ago,
            credits=shown,
            whole=whole,
            number=mask_number,
            masked=mask_text,
            spoken=spoken,
        )

    def page(
        self,
        template: str,
        visitor: Visitor | None,
        status: HTTPStatus = HTTPStatus.OK,
        **values: Any,
    ) -> Response:
        """Return a page; `values` are what its template is about."""
        html = self._jinja.get_template(template).render(visitor=visitor, **values)
        return HTMLResponse(html, status, headers=HEADERS)

    def asset(self, name: str) -> Response | None:
        """Return a file of ours, or None. It may be kept: its URL changes with what is in it."""
        if name not in TYPES:
            return None
        kept = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(self._assets[name], media_type=TYPES[name], headers=HEADERS | kept)

    def _url(self, name: str) -> str:
        version = hashlib.sha256(self._assets[name]).hexdigest()[:12]
        return f"{ROOT}/static/{name}?v={version}"


def when(at: datetime | float | None) -> Markup:
    """Return a moment (aware, or ms since the epoch) in UTC; a script shows it in local time."""
    if at is None:
        return Markup("-")
    moment = datetime.fromtimestamp(at / 1000, UTC) if isinstance(at, (int, float)) else at
    utc = moment.astimezone(UTC)
    return Markup('<time datetime="{}" data-local>{:%Y-%m-%d %H:%M:%S} UTC</time>').format(
        iso(utc), utc
    )


def ago(at: datetime | float | None, now: float) -> str:
    """Return how long ago a moment was (or how far ahead it is); `now` in ms since the epoch."""
    if at is None:
        return "-"
    then = at if isinstance(at, (int, float)) else at.timestamp() * 1000
    seconds = (now - then) / 1000
    if abs(seconds) < 1:
        return "now"
    return f"{spoken(seconds)} ago" if seconds > 0 else f"in {spoken(-seconds)}"
