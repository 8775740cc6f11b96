"""The time zone in which a browser is shown times: kept in a cookie of it, for a year."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from workers.gateway.console import times
from workers.gateway.console.context import ConsoleContext, ours, redirect
from workers.gateway.console.forms import Fields, query
from workers.gateway.console.pages import ROOT
from workers.gateway.console.sessions import Visitor

KEPT = 365 * 24 * 3600
"""Seconds."""


class TimeZone:
    """The routes."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    def show(self, request: Request, visitor: Visitor) -> Response:
        """Show the zones to choose from."""
        return self._context.pages.page(
            "time_zone.html", visitor, zones=sorted(times.zones()), next=query(request).one("next")
        )

    def choose(self, request: Request, _visitor: Visitor, fields: Fields) -> Response:
        """Keep the zone that was chosen."""
        response = redirect(ours(fields.one("next")))
        response.set_cookie(
            times.COOKIE,
            str(times.zone_of(fields.one("zone"))),
            KEPT,
            path=ROOT,
            samesite="strict",
            secure=self._context.secure(request),
        )
        return response
