"""`/v1/campaigns`: what became of the jobs that share a tag `campaign:NAME`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from dispatcher.model.campaign import campaign_name
from dispatcher.statistics import campaign as campaign_now
from dispatcher.store.campaigns import CampaignPage
from workers.gateway.api.authenticator import READS, Reader
from workers.gateway.api.fields import Fields
from workers.gateway.api.jobs import respond
from workers.gateway.api.operations import campaigns as operations
from workers.gateway.api.services import Services

MOST = 200
LONGEST_NAME = 100
_LIST = "campaigns"


def router(services: Services) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/v1", tags=["campaigns"])
    store, pool = services.store, services.pool

    @routes.get("/campaigns", **operations.LIST)
    async def campaigns(
        caller: Reader,
        *,
        limit: Annotated[int, Query(ge=1, le=MOST, description="The most on a page.")] = 50,
        cursor: Annotated[str | None, Query(description="The cursor of the page before.")] = None,
        name: Annotated[
            str,
            Query(
                max_length=LONGEST_NAME,
                description="Only those with this in their name, in capitals or not. A page may"
                " have few of them, or none, and lead on nevertheless.",
            ),
        ] = "",
    ) -> Response:
        """List campaigns, newest first."""
        found = await pool.run(_page, services, limit, cursor, caller.name, name)
        shown = [campaign.to_dict(mask=True) for campaign in found.campaigns]
        return respond({"campaigns": shown, "cursor": found.cursor})

    @routes.get("/campaigns/{name:path}", dependencies=[READS], **operations.SHOW)
    async def campaign(
        name: Annotated[str, Path(description="Its name, or its tag `campaign:NAME`.")],
    ) -> Response:
        """Return what became of a campaign so far."""
        wanted = Fields({"name": name}).text("name", campaign_name) or ""
        return respond(await pool.run(campaign_now, store, wanted))

    return routes


def _page(
    services: Services, limit: int, cursor: str | None, client: str, named: str
) -> CampaignPage:
    """Return a page, whose cursor tells nothing. Raises InvalidCursor."""
    cursors = services.cursors
    place = None if cursor is None else cursors.open(cursor, _LIST, client)
    found = services.store.campaigns.page(limit, place, named=named)
    after = None if found.cursor is None else cursors.seal(found.cursor, _LIST, client)
    return CampaignPage(found.campaigns, after)
