"""The overview: how everything stands, read in a few round trips, in words, figures and a chart."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from dispatcher.model.states import Priority
from dispatcher.policy import credit_forecast
from dispatcher.problems.snapshot import look
from dispatcher.store import Store
from dispatcher.store.values import Pace
from dispatcher.values.rate import Rate
from workers.gateway.console.banners import banners
from workers.gateway.console.chart import NAMES, chart
from workers.gateway.console.context import ConsoleContext
from workers.gateway.console.forms import query
from workers.gateway.console.sessions import Visitor

DONE = {
    "paused": "Paused: no new calls are made.",
    "resumed": "Resumed: waiting jobs are dialled in their order.",
    "unchanged": "Nothing changed: it was already so.",
    "balance-check": "The balance will be checked within a few seconds.",
}
"""What a page may say was done, by the word in its address."""


class Overview:
    """The routes."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    def show(self, request: Request, visitor: Visitor) -> Response:
        """Show what is the matter, the figures, and what can be done about all calls."""
        now = look(self._context.store)
        return self._context.pages.page(
            "overview.html",
            visitor,
            now=now,
            banners=banners(now),
            rate=rate_words(now.pace, self._context.store),
            chart=chart(now.minutes),
            names=NAMES,
            credit_forecast=credit_forecast.words(now.credit, now.now, now.forecast),
            priorities=list(Priority),
            done=DONE.get(query(request).one("done"), ""),
        )


def rate_words(pace: Pace, store: Store) -> str:
    """Return how much of the rate is used now."""
    if pace.rate is None or pace.working_rate is None:
        return "no limit"
    limit, working = Rate(pace.rate, pace.period), Rate(pace.working_rate, pace.period)
    slowed = f" (slowed from {limit})" if working != limit else ""
    most = max(1, int(working.per_second))
    recent = Rate(store.limiter.recent_requests(working.per_second) * working.per_second / most)
    return f"{recent if recent.per_second else '0/s'} now, at most {working}{slowed}"
