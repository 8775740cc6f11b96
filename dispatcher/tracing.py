"""Traces: what is told of a job's way, by OpenTelemetry, where somebody has set that up.

A service sets it up itself, our own processes do with DISPATCHER_TRACING (workers/tracing.py).
Elsewhere nothing of OpenTelemetry is imported, and these do nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from dispatcher.model.job import Job
    from dispatcher.model.request import JobRequest
    from dispatcher.store.values import Claim

_API = "opentelemetry.trace"
_NOTHING = nullcontext()


class Step:
    """A part of a job's way, from where it was begun to its `end`, or that of a `with`. This one
    tells nobody.

    `traceparent` is what may belong below it, or None where no trace is known.
    """

    def __init__(self, traceparent: str | None = None) -> None:
        self.traceparent = traceparent

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """End it, as a failure where there is an error."""

    def current(self) -> AbstractContextManager[object]:
        """Have what is begun meanwhile, in this thread, belong below it."""
        return _NOTHING

    def tell(self, facts: Mapping[str, str | int]) -> None:
        """Tell more of it."""

    def answered(self, status: int | None, method: str = "", route: str = "") -> None:
        """Tell of an answer in HTTP, None for none; where it is ours, of what was asked for."""

    def end(self, *, state: str | None = None, reason: str = "", failed: str = "") -> None:
        """End it now: how it left its job, and in one word what failed, if anything did."""


_STEP = Step()


class Spans:
    """What is told. None of it says a number, a text, a key or a tag. These tell nobody.

    `began` is in ns since the epoch, None for now.
    """

    on = False

    def active(self) -> str | None:
        """Return the traceparent of what this thread is doing, None where it is of no trace."""
        return None

    def server(self, _method: str, traceparent: str | None) -> Step:
        """Begin a request to the HTTP API."""
        return Step(traceparent)

    def message(self, _task: str, traceparent: str | None) -> Step:
        """Begin a message of a broker."""
        return Step(traceparent)

    def enqueueing(
        self, requests: Iterable[JobRequest]
    ) -> AbstractContextManager[Iterable[JobRequest]]:
        """Tell of requests that are written together, one step for those of one origin; what they
        become belongs below it.
        """
        return nullcontext(requests)

    def dial(self, _claim: Claim, _began: int) -> Step:
        """Begin a job's turn; its claim was asked for at `began`, and is there now."""
        return _STEP

    def of_job(self, _what: str, _job: Job, _began: int | None = None) -> Step:
        """Begin something else that is done for a job."""
        return _STEP

    def request(self, _what: str, _job: Job, _seconds: float = 0) -> Step:
        """Begin a request to the provider, or one that went out so many seconds ago; what this
        thread does for the job is what it belongs to.
        """
        return _STEP

    def webhook(self, _type: str, traceparent: str | None) -> Step:
        """Begin to tell a receiver."""
        return Step(traceparent)


UNTRACED = Spans()


def spans() -> Spans:
    """Return what tells of this process' work, as things are now."""
    api = sys.modules.get(_API)
    found = getattr(api, "get_tracer_provider", None)  # None while another thread imports it
    if api is None or found is None or type(provider := found()) is api.ProxyTracerProvider:
        return UNTRACED  # nobody has set one up
    from dispatcher.spans import of_provider  # noqa: PLC0415 - it imports OpenTelemetry

    return of_provider(provider)
