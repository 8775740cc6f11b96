"""Jobs of a campaign as a CSV file, written while it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from dispatcher.model.campaign import campaign_name
from dispatcher.model.filters import Filter
from dispatcher.model.job import Job
from dispatcher.rows.csv_text import CsvText
from workers.gateway import evidence
from workers.gateway.caps import Cap, Places
from workers.gateway.console.context import ConsoleContext, require_own_page
from workers.gateway.console.forms import query
from workers.gateway.console.pages import HEADERS
from workers.gateway.console.sessions import Visitor
from workers.gateway.counts import Counts
from workers.gateway.middleware import AT_END
from workers.gateway.problems import Problem

EXPORTS: Final = Cap("exports", 4, "the console")
OF_ONE: Final = Cap("exports", 2, "the console")
"""Those of one session."""
JOBS_AT_ONCE: Final = 100
"""Jobs whose lines are sent together."""


class Exports:
    """The route."""

    def __init__(self, context: ConsoleContext, counts: Counts) -> None:
        self._context, self._places = context, Places(EXPORTS, OF_ONE, counts)

    async def campaign(self, request: Request) -> Response:
        """Send the jobs of a campaign as CSV; a place is taken on the loop, as it is given back."""
        session = request.cookies.get(self._context.cookie, "")
        try:
            request.scope[AT_END].enter_context(self._places.one(session))
        except Problem as full:
            return self._context.refusal(full)
        return await self._context.answer(request, partial(self._campaign, request))

    def _campaign(self, request: Request) -> Response:
        visitor, store = self._context.visitor(request), self._context.store
        require_own_page(request)
        fields = query(request)
        found = store.campaigns.get(campaign_name(fields.one("name")))
        whole = visitor.operates and fields.one("numbers") == "whole"
        _write_down(self._context, request, visitor, found.tag, whole=whole)
        jobs = store.search.find(Filter(tag=found.tag))
        name = f"campaign-{datetime.now(UTC):%Y%m%d-%H%M%S}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(
            lines(jobs, mask=not whole),
            media_type="text/csv; charset=utf-8; header=present",
            headers=HEADERS | headers,
        )


def lines(jobs: Iterable[Job], *, mask: bool) -> Iterator[str]:
    """Yield the text of a file of jobs, piece by piece."""
    text = CsvText(mask=mask)
    yield text.head
    each = iter(jobs)
    while some := list(islice(each, JOBS_AT_ONCE)):
        yield "".join(map(text.of, some))


def _write_down(
    context: ConsoleContext, request: Request, visitor: Visitor, target: str, *, whole: bool
) -> None:
    """Write into the audit log and the security log, before the first line is sent."""
    context.store.audit.record(visitor.actor, "export", target, unmasked=whole)
    evidence.exported(request, visitor.actor, visitor.key.id, target, unmasked=whole)
