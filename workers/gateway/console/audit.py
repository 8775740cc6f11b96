"""The audit log: who did what, to what, when and why."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from dispatcher.store.audit import AuditFilter
from dispatcher.values.durations import past
from workers.gateway.console.context import ConsoleContext
from workers.gateway.console.forms import query
from workers.gateway.console.pages import ROOT
from workers.gateway.console.sessions import Visitor

PAGE = 100
LONGEST = 100
"""Characters of what is looked for."""
PLACES = {"job": "jobs", "alert": "alerts", "rota": "on-call/rotas"}
"""What is done something to -> where its page is."""


class Audit:
    """The routes."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    def show(self, request: Request, visitor: Visitor) -> Response:
        """Show a page of what people did, the latest first."""
        fields = query(request)
        asked = {name: fields.one(name)[:LONGEST] for name in ("who", "what", "since", "until")}
        wanted, error = _wanted(asked)
        cursor = fields.one("before")
        entries, older = self._context.store.audit.latest(PAGE, cursor, wanted)
        return self._context.pages.page(
            "audit.html",
            visitor,
            entries=entries,
            asked=asked,
            error=error,
            place=place,
            first=_list(asked) if cursor else "",
            older=_list(asked | {"before": older}) if older else "",
        )


def _wanted(asked: dict[str, str]) -> tuple[AuditFilter, str]:
    """Return what is looked for, and what is wrong with it; with that, everything is."""
    try:
        since, until = moment(asked["since"]), moment(asked["until"])
    except ValueError as error:
        return AuditFilter(), str(error)
    return AuditFilter(asked["who"], asked["what"], since, until), ""


def moment(text: str) -> datetime | None:
    """Return a moment, or what lies so long ago; None where nothing is said. Raises ValueError."""
    return past(text) if text else None


def place(target: str) -> str:
    """Return the page of what something was done to, such as `job:4711`; '' where there is none."""
    kind, _, id_ = target.partition(":")
    return f"{ROOT}/{PLACES[kind]}/{quote(id_, safe='')}" if kind in PLACES and id_ else ""


def _list(asked: dict[str, str]) -> str:
    given = {name: value for name, value in asked.items() if value}
    return f"{ROOT}/audit?{urlencode(given)}" if given else f"{ROOT}/audit"
