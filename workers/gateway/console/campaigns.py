"""Campaigns: all by name, what became of one, and its jobs as a file."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from dispatcher.model.campaign import MINUTES, Campaign, campaign_name
from dispatcher.model.states import WAITING, State
from dispatcher.store.holds import PauseScope
from dispatcher.store.values import Hold
from workers.gateway.console import campaign_figures as figures
from workers.gateway.console.context import ConsoleContext
from workers.gateway.console.forms import query
from workers.gateway.console.pages import ROOT
from workers.gateway.console.sessions import Visitor

PAGE = 50
LONGEST_SEARCH = 100
NOT_REACHED = (State.FAILED, State.EXPIRED)


class Campaigns:
    """The routes."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    def list(self, request: Request, visitor: Visitor) -> Response:
        """Show a page of campaigns, the newest first; of all, or with a part of their name."""
        fields = query(request)
        named, cursor = fields.one("name")[:LONGEST_SEARCH], fields.one("cursor") or None
        found = self._context.store.campaigns.page(PAGE, cursor, named=named)
        return self._context.pages.page(
            "campaigns.html",
            visitor,
            campaigns=found.campaigns,
            named=named,
            first=_list(name=named) if cursor else "",
            older=_list(name=named, cursor=found.cursor) if found.cursor else "",
        )

    def one(self, request: Request, visitor: Visitor) -> Response:
        """Show what became of a campaign so far."""
        name = campaign_name(request.path_params["name"])
        store = self._context.store
        found = store.campaigns.get(name)
        holds = store.holds.all()
        return self._context.pages.page(
            "campaign.html",
            visitor,
            campaign=found,
            minutes=MINUTES,
            funnel=figures.funnel(found),
            outcomes=figures.outcomes(found),
            dialled=figures.dialled(found),
            hours=figures.hours_of_day(found.by_hour, visitor.zone),
            pause=_pause(found, holds),
            stopped=_all_calls(holds),
            waiting=sorted(WAITING),
            not_reached=NOT_REACHED,
            now=store.now(),
        )


def _pause(campaign: Campaign, holds: list[Hold]) -> Hold | None:
    """Return the pause of a campaign's own calls, if there is one."""
    name = PauseScope(tag=campaign.tag).hold
    return next((hold for hold in holds if hold.name == name), None)


def _all_calls(holds: list[Hold]) -> list[Hold]:
    """Return what holds all calls, and so those of each campaign."""
    return [hold for hold in holds if ":" not in hold.name]


def _list(**pairs: str | None) -> str:
    given = {name: value for name, value in pairs.items() if value}
    return f"{ROOT}/campaigns?{urlencode(given)}" if given else f"{ROOT}/campaigns"
