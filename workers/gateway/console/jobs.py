"""Jobs: the list, and one job whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from dispatcher.model.do_not_call import LONGEST_REASON, Wish
from dispatcher.model.job import Job
from dispatcher.model.states import TRANSITIONS, Reason, State
from dispatcher.store.search import Page
from dispatcher.values.masking import mask_text
from dispatcher.values.traceparent import trace_id
from dispatcher.why import CHOICE
from dispatcher.why import why as explain
from workers.gateway.console.context import ConsoleContext, redirect
from workers.gateway.console.forms import Fields, query
from workers.gateway.console.live import by_itself
from workers.gateway.console.pages import ROOT
from workers.gateway.console.search import Search
from workers.gateway.console.sessions import Visitor
from workers.gateway.console.timebar import series, time_bar
from workers.gateway.evidence import seen_whole

PAGE = 50
FOUND = {"key": "Found by its idempotency key.", "call": "Found by the id of its call."}
"""How a search came to a job, by the word in its address."""
NEXT = {
    State.SCHEDULED: "due",
    State.QUEUED: "in line",
    State.HELD: "when its hold ends",
    State.DIALING: "the provider answers",
    State.UNCERTAIN: "decided",
    State.IN_PROGRESS: "status check",
}
"""What happens next, in as few words as a list has room for."""


class Jobs:
    """The routes."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    def list(self, request: Request, visitor: Visitor) -> Response:
        """Show the selected jobs, newest first."""
        fields = query(request)
        wanted, cursor = Search.of(fields), fields.one("cursor")
        found, error = Page([], None), ""
        try:
            selected = wanted.filter(whole=visitor.operates)
            found = self._context.store.search.page(selected, PAGE, cursor or None)
        except ValueError as wrong:
            error = mask_text(str(wrong))
        return self._context.pages.page(
            "jobs.html",
            visitor,
            HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
            jobs=found.jobs,
            cursor=found.cursor,
            first=f"{ROOT}/jobs{wanted.address()}" if cursor else "",
            next=f"{ROOT}/jobs{wanted.address(cursor=found.cursor)}" if found.cursor else "",
            chips=[(words, f"{ROOT}/jobs{address}") for words, address in wanted.chips],
            next_step=next_step,
            wanted=wanted,
            error=error,
            states=list(State),
            reasons=list(Reason),
            now=self._context.store.now(),
        )

    def one(self, request: Request, visitor: Visitor) -> Response:
        """Show a job whole: whoever may only look sees numbers masked, and no texts."""
        job = self._context.store.jobs.get(request.path_params["id"])
        found = explain(self._context.store, job)
        # What the command line offers stands there as buttons.
        because = found.because.removesuffix(CHOICE.format(id=job.id))
        because = because if visitor.operates else mask_text(because)
        if visitor.operates and not by_itself(request):
            seen_whole(request, visitor.actor, visitor.key.id, f"job:{job.id}")
        return self._context.pages.page(
            "job.html",
            visitor,
            job=job,
            because=because[:1].upper() + because[1:],
            found=FOUND.get(query(request).one("found"), ""),
            bar=time_bar(job, self._context.store.moment()),
            series=series,
            can=can(job),
            trace=trace_id(job.traceparent),
            listed=[self._scopes(each) for each in job.numbers],
        )

    def _scopes(self, number: str) -> Sequence[str | None]:
        """Return the tags that a number is on the do-not-call list for; None is for all jobs."""
        return [entry.tag for entry in self._context.store.do_not_call.check(number)]

    def never_again(self, request: Request, visitor: Visitor, fields: Fields) -> Response:
        """Put one of a job's numbers on the do-not-call list."""
        job = self._context.store.jobs.get(request.path_params["id"])
        chosen = [number for n, number in enumerate(job.numbers) if str(n) == fields.one("number")]
        reason = fields.one("note")[:LONGEST_REASON]
        wishes = [Wish(number, reason=reason) for number in chosen]
        self._context.store.do_not_call.add(wishes, actor=visitor.actor)
        return redirect(f"{ROOT}/jobs/{quote(job.id, safe='')}")


def next_step(job: Job) -> tuple[str, datetime | None]:
    """Return what happens next to a job in a word or two, and when: ('', None) if nothing does."""
    action = job.next_action
    return (NEXT[job.state], action.at) if action else ("", None)


def can(job: Job) -> list[tuple[str, str]]:
    """Return what a person may do to a job: the act, and the words on its button."""
    found = []
    unknown = job.state is State.UNCERTAIN or job.reason == Reason.OUTCOME_UNKNOWN
    if (State.QUEUED in TRANSITIONS[job.state] and job.terminal) or job.state is State.UNCERTAIN:
        found.append(("retry", "Dial again" if unknown else "Retry"))
    if unknown:
        found.append(("reached", "Mark as reached"))
    if State.CANCELLED in TRANSITIONS[job.state]:
        found.append(("cancel", "Cancel"))
    return found
