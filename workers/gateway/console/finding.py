"""One field for all that people look for: what their words may name, and the way there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from dispatcher.model.alert import UnknownAlert
from dispatcher.model.campaign import InvalidCampaign, UnknownCampaign, campaign_name
from dispatcher.model.filters import Filter, InvalidFilter
from dispatcher.model.tags import CAMPAIGN
from dispatcher.store.values import job_id
from dispatcher.values.masking import mask_text
from workers.gateway.console.context import ConsoleContext, redirect
from workers.gateway.console.forms import query
from workers.gateway.console.pages import ROOT
from workers.gateway.console.search import Search, digits
from workers.gateway.console.sessions import Visitor


@dataclass(frozen=True, slots=True)
class Found:
    """Something that the words name: what it is, and its page."""

    what: str
    path: str


class Finding:
    """The routes."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context, self._store = context, context.store

    def find(self, request: Request, visitor: Visitor) -> Response:
        """Go to what is named; where it may be several things, show which."""
        wanted = query(request).one("q")
        found = list(self._job(wanted)) or list(self._others(wanted, visitor)) if wanted else []
        if len(found) == 1:
            return redirect(found[0].path)
        return self._context.pages.page(
            "find.html",
            visitor,
            HTTPStatus.OK if found else HTTPStatus.NOT_FOUND,
            wanted=mask_text(wanted),
            found=found,
        )

    def _job(self, wanted: str) -> Iterator[Found]:
        """Yield the job or the alert that has exactly this id, or whose call has it."""
        of_call = self._store.jobs.id_of_call(wanted) or ""
        for id_, by in ((wanted.lower(), ""), (of_call, "?found=call")):
            if id_ and self._store.jobs.get_many([id_])[0]:
                yield Found("Job", f"{ROOT}/jobs/{quote(id_, safe='')}{by}")
                return
        with suppress(UnknownAlert):
            alert = self._store.alerts.get(wanted)
            yield Found("Alert", f"{ROOT}/alerts/{quote(alert.id, safe='')}")

    def _others(self, wanted: str, visitor: Visitor) -> Iterator[Found]:
        number = digits(wanted)
        if not visitor.operates:
            _require_masked(wanted, number)
        yield from self._of_key(wanted)
        yield from self._campaign(wanted)
        if self._any(Filter(tag=wanted)) and not wanted.startswith(CAMPAIGN):
            yield Found(f"Jobs with the tag {wanted}", _jobs(Search(tag=wanted)))
        if number and self._any(Filter(recipient=number)):
            yield Found(f"Jobs to {number_words(number)}", _jobs(Search(recipient=number)))

    def _of_key(self, wanted: str) -> Iterator[Found]:
        """Yield the jobs of an idempotency key: each client of the HTTP API has its own."""
        scopes = ["", *dict.fromkeys(key.name for key in self._store.api_keys.all())]
        for job in self._store.jobs.get_many([job_id(wanted, scope) for scope in scopes]):
            if job:
                by = f" from {job.producer}"
                yield Found(f"Job with the key {wanted}{by}", f"{ROOT}/jobs/{job.id}?found=key")

    def _campaign(self, wanted: str) -> Iterator[Found]:
        with suppress(InvalidCampaign, UnknownCampaign):
            name = self._store.campaigns.get(campaign_name(wanted)).name
            yield Found(f"Campaign {name}", f"{ROOT}/campaigns/{quote(name)}")

    def _any(self, filter_: Filter) -> bool:
        return bool(self._store.search.page(filter_, 1).jobs)


def number_words(number: str) -> str:
    """Return a whole number, or what its last digits are, in words."""
    return number if number.startswith("+") else f"numbers that end in {number}"


def _require_masked(wanted: str, number: str) -> None:
    """Raise InvalidFilter where somebody looks for more of a number than they are shown."""
    if number:
        Filter(recipient=number).require_masked()
    elif mask_text(wanted) != wanted:
        raise InvalidFilter(
            "search", "keys with only the scope read cannot search by what has a number in it"
        )


def _jobs(search: Search) -> str:
    return f"{ROOT}/jobs{search.address()}"
