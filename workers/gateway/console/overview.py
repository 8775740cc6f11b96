"""The overview: how everything stands, read in a few round trips, in words, figures and a chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from dispatcher.model.process import Role
from dispatcher.model.states import Priority
from dispatcher.policy import credit_forecast
from dispatcher.problems.snapshot import Snapshot, look
from dispatcher.store import Store
from workers.gateway.console.banners import banners
from workers.gateway.console.chart import NAMES, Bin, chart, folded
from workers.gateway.console.context import ConsoleContext
from workers.gateway.console.credit_line import credit_line
from workers.gateway.console.forms import query
from workers.gateway.console.pace import pace_now
from workers.gateway.console.pages import ROOT
from workers.gateway.console.sessions import Visitor

DONE = {
    "paused": "Paused: no new calls are made.",
    "resumed": "Resumed: waiting jobs are dialled in their order.",
    "unchanged": "Nothing changed: it was already so.",
    "balance-check": "The balance will be checked within a few seconds.",
}
"""What a page may say was done, by the word in its address."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time that the chart shows: so many hours, some in one bar; `bar` is what people
    call that time.
    """

    name: str
    hours: int
    each: int
    bar: str

    @property
    def tab(self) -> str:
        """What people choose it by."""
        return self.name.capitalize()


NEEDED = frozenset({Role.WORKER, Role.BEAT})
"""Without one of these nobody is called."""
SPANS = (
    Span("hour", 1, 0, "a minute"),
    Span("day", 24, 1, "an hour"),
    Span("week", 168, 6, "6 hours"),
)


class Overview:
    """The routes."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    def show(self, request: Request, visitor: Visitor) -> Response:
        """Show what is the matter, the figures, and what can be done about all calls."""
        now, fields = look(self._context.store), query(request)
        span = next((each for each in SPANS if each.name == fields.one("span")), SPANS[0])
        return self._context.pages.page(
            "overview.html",
            visitor,
            now=now,
            banners=banners(now),
            pace=pace_now(now.pace, self._context.store),
            span=span,
            spans_shown=[(each.tab, f"{ROOT}?span={each.name}", each is span) for each in SPANS],
            chart=chart(ends(self._context.store, span, now)),
            names=NAMES,
            credit_forecast=credit_forecast.words(now.credit, now.now, now.forecast),
            credit_line=credit_line(now.credit, now.forecast),
            horizon=credit_forecast.HORIZON,
            roles=list(Role),
            needed=NEEDED,
            priorities=list(Priority),
            done=DONE.get(fields.one("done"), ""),
        )


def ends(store: Store, span: Span, now: Snapshot) -> Sequence[Bin]:
    """Return what ended within a span, in the bars that it is shown in."""
    return folded(store.history.hours(span.hours), span.each) if span.each else now.minutes
