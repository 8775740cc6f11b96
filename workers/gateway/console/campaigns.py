"""Campaigns: the latest, and what became of one."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from dispatcher.model.campaign import MINUTES, campaign_name
from workers.gateway.console.context import ConsoleContext
from workers.gateway.console.forms import query
from workers.gateway.console.sessions import Visitor

PAGE = 50


class Campaigns:
    """The routes."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    def list(self, request: Request, visitor: Visitor) -> Response:
        """Show a page of campaigns, the newest first."""
        cursor = query(request).one("cursor") or None
        found = self._context.store.campaigns.page(PAGE, cursor)
        return self._context.pages.page(
            "campaigns.html", visitor, campaigns=found.campaigns, older=found.cursor
        )

    def one(self, request: Request, visitor: Visitor) -> Response:
        """Show what became of a campaign so far."""
        name = campaign_name(request.path_params["name"])
        found = self._context.store.campaigns.get(name)
        return self._context.pages.page("campaign.html", visitor, campaign=found, minutes=MINUTES)
