"""Renders pages: the templates, what they are given to write with, and the headers of a page."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from dispatcher import __version__
from dispatcher.policy.credit_forecast import about, in_credits, shown
from dispatcher.store.audit import LONGEST_NOTE
from dispatcher.values.counts import counted
from dispatcher.values.durations import spoken
from dispatcher.values.masking import mask_number, mask_text
from workers.gateway.console import times
from workers.gateway.console.looks import look
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


LIVE = "live-"
"""How the ids of parts begin that stay fresh."""


class Page(HTMLResponse):
    """A page. `parts` are those that stay fresh, by id, and what an open page is told else."""

    def __init__(self, html: str, status: HTTPStatus, parts: dict[str, str]) -> None:
        super().__init__(html, status, headers=HEADERS)
        self.parts = parts

    @property
    def problem(self) -> str:
        """Why there is no such page now, as HTML; '' where there is."""
        return self.parts.get("told", "")

    @property
    def live(self) -> bool:
        """Whether any of it stays fresh, beside the title."""
        return any(name.startswith(LIVE) for name in self.parts)


def _utc() -> datetime:
    return datetime.now(UTC)


class Pages:
    """The templates. `flower` is where people reach Flower, '' where they do not."""

    def __init__(self, flower: str = "", clock: Callable[[], datetime] = _utc) -> None:
        self._clock = clock
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
            look=look,
            live=live,
            keep=keep,
            longest_note=LONGEST_NOTE,
        )
        self._jinja.filters.update(
            when=_when,
            in_zone=_in_zone,
            ago=times.ago,
            n=thousands,
            word=word,
            counted=counted,
            credits=shown,
            in_credits=in_credits,
            about=about,
            number=mask_number,
            masked=mask_text,
            code=_code,
            spoken=spoken,
        )

    def page(
        self,
        template: str,
        visitor: Visitor | None,
        status: HTTPStatus = HTTPStatus.OK,
        **values: Any,
    ) -> Page:
        """Return a page; `values` are what its template is about."""
        zone, moment = visitor.zone if visitor else times.NO_ZONE, self._clock()
        parts: dict[str, str] = {}
        html = self._jinja.get_template(template).render(
            visitor=visitor,
            zone=zone,
            zone_words=times.zone_words(zone, moment),
            moment=moment,
            parts=parts,
            **values,
        )
        return Page(html, status, parts)

    def asset(self, name: str) -> Response | None:
        """Return a file of ours, or None. It may be kept: its URL changes with what is in it."""
        if name not in TYPES:
            return None
        kept = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(self._assets[name], media_type=TYPES[name], headers=HEADERS | kept)

    def _url(self, name: str) -> str:
        version = hashlib.sha256(self._assets[name]).hexdigest()[:12]
        return f"{ROOT}/static/{name}?v={version}"


@pass_context
def live(
    context: Context, name: str, caller: Callable[[], str], role: str = "", tag: str = "div"
) -> Markup:
    """Return a part of a page that stays fresh, as `{% call live('figures') %}…{% endcall %}`."""
    html = keep(context, f"{LIVE}{name}", caller())
    said = Markup(' role="{}"').format(role) if role else ""
    return Markup('<{} id="{}{}" data-live{}>{}</{}>').format(tag, LIVE, name, said, html, tag)


@pass_context
def keep(context: Context, name: str, html: str) -> Markup:
    """Return a text of the page as it is, and keep it among the parts."""
    text = escape(html)
    context["parts"][name] = str(text)
    return text


@pass_context
def _when(context: Context, at: times.Moment | None) -> Markup:
    return times.when(at, *_clock_of(context))


@pass_context
def _in_zone(context: Context, text: str) -> Markup:
    return times.in_zone(text, *_clock_of(context))


def _clock_of(context: Context) -> tuple[ZoneInfo, datetime]:
    return context["zone"], context["moment"]


def _code(text: str) -> Markup:
    """Return a text in which what stands between backticks is marked as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


def thousands(number: float) -> str:
    """Return a count as people read it: 12,345."""
    return f"{number:,}"


def word(text: str) -> str:
    """Return a word of ours, such as `no_answer`, as people read it."""
    return str(text).replace("_", " ")
