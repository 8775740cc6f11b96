"""The audit: who did what, to what, when and why."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from workers.gateway.console.context import ConsoleContext
from workers.gateway.console.forms import query
from workers.gateway.console.sessions import Visitor

PAGE = 100


class Audit:
    """The routes."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    def show(self, request: Request, visitor: Visitor) -> Response:
        """Show a page of what people did, the latest first."""
        entries, cursor = self._context.store.audit.latest(PAGE, query(request).one("before"))
        return self._context.pages.page("audit.html", visitor, entries=entries, older=cursor)
