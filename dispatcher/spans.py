"""The spans of OpenTelemetry: their names, kinds and attributes, as its conventions have them.

Imported where OpenTelemetry is in use, by `tracing.spans` alone.
Source: https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/ and, for HTTP,
https://opentelemetry.io/docs/specs/semconv/http/http-spans/. Left out on purpose: paths and URLs,
which hold secrets or numbers, and what errors say.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode

from dispatcher import __version__
from dispatcher.tracing import Spans, Step
from dispatcher.values.traceparent import written

if TYPE_CHECKING:
    from dispatcher.model.job import Job
    from dispatcher.model.request import JobRequest
    from dispatcher.store.values import Claim

SYSTEM = "voice_dispatcher"
"""The messaging system, and what names of attributes begin with that no convention has."""
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
Facts = Mapping[str, str | int]


class OpenStep(Step):
    """A step that a span tells of. `traceparent` is what the span has, or else what it was given:
    where nothing is recorded, what comes after still belongs to the trace.
    """

    def __init__(self, span: trace.Span, given: str | None) -> None:
        context = span.get_span_context()
        super().__init__(_traceparent(context) if context.is_valid else given)
        self._span = span

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self.end(failed=type(error).__name__ if error else "")

    def current(self) -> AbstractContextManager[object]:
        """Nothing is told of what an exception says: it may hold a number."""
        return trace.use_span(self._span, record_exception=False, set_status_on_exception=False)

    def tell(self, facts: Facts) -> None:
        self._span.set_attributes(dict(facts))

    def answered(self, status: int | None, method: str = "", route: str = "") -> None:
        if status is not None:
            self._span.set_attribute("http.response.status_code", status)
        if route:
            self._span.set_attribute("http.route", route)
            self._span.update_name(f"{method} {route}")
        # What others answer with 4xx is an error of ours; what we answer so is one of theirs.
        if status is None or status >= (_SERVER_ERROR if method else _CLIENT_ERROR):
            self._fail(str(status or "no_answer"))

    def end(self, *, state: str | None = None, reason: str = "", failed: str = "") -> None:
        if state:
            self._span.set_attribute(f"{SYSTEM}.state", state)
        if reason := reason.partition(":")[0]:  # a hold is named by its tag or client as well
            self._span.set_attribute(f"{SYSTEM}.reason", reason)
        if failed:
            self._fail(failed)
        self._span.end()

    def _fail(self, why: str) -> None:
        self._span.set_attribute("error.type", why)
        self._span.set_status(Status(StatusCode.ERROR))


class _Batch:
    """The steps of requests that are written together, one for each origin."""

    def __init__(self, begin: Callable[[str | None], Step]) -> None:
        self._begin = begin
        self._steps: dict[str | None, Step] = {}
        self._many: Counter[str | None] = Counter()

    def carry(self, request: JobRequest) -> JobRequest:
        """Return a request as it belongs below its step."""
        origin = request.traceparent
        step = self._steps.get(origin) or self._begin(origin)
        self._steps[origin] = step
        self._many[origin] += 1
        return request.model_copy(update={"traceparent": step.traceparent})

    def end(self, failed: str = "") -> None:
        for origin, step in self._steps.items():
            if (many := self._many[origin]) > 1:
                step.tell({"messaging.batch.message_count": many})
            step.end(failed=failed)


class OpenSpans(Spans):
    """Tells a tracer provider."""

    on = True

    def __init__(self, provider: trace.TracerProvider) -> None:
        self._tracer = provider.get_tracer("voice-dispatcher", __version__)

    def active(self) -> str | None:
        context = trace.get_current_span().get_span_context()
        return _traceparent(context) if context.is_valid else None

    def server(self, method: str, traceparent: str | None) -> Step:
        return self._begin(
            method, SpanKind.SERVER, {"http.request.method": method}, traceparent, root=True
        )

    def message(self, task: str, traceparent: str | None) -> Step:
        facts = {
            "messaging.system": "celery",
            "messaging.operation.name": task,
            "messaging.operation.type": "process",
        }
        return self._begin(task, SpanKind.CONSUMER, facts, traceparent, root=True)

    @contextmanager
    def enqueueing(self, requests: Iterable[JobRequest]) -> Iterator[Iterable[JobRequest]]:
        batch = _Batch(
            partial(self._begin, "enqueue", SpanKind.PRODUCER, _operation("enqueue", "send"))
        )
        try:
            yield map(batch.carry, requests)
        except Exception as error:
            batch.end(type(error).__name__)
            raise
        batch.end()

    def dial(self, claim: Claim, began: int) -> Step:
        job = claim.job
        step = self.of_job("dial", job, began)
        step.tell({f"{SYSTEM}.attempt": claim.attempt})
        if job.attempt and job.attempt.sent_at:
            waited = (job.attempt.sent_at - max(job.due_at, job.created_at)).total_seconds()
            step.tell({f"{SYSTEM}.waited_ms": max(0, round(waited * 1000))})
        facts = _operation("claim", "receive")
        self._begin("claim", SpanKind.CLIENT, facts, step.traceparent, began).end()
        return step

    def of_job(self, what: str, job: Job, began: int | None = None) -> Step:
        facts: Facts = {
            **_operation(what, "process"),
            "messaging.destination.name": job.priority,
            "messaging.message.id": job.id,
            f"{SYSTEM}.kind": job.kind,
        }
        name = f"{what} {job.priority}"
        return self._begin(name, SpanKind.CONSUMER, facts, job.traceparent, began, root=True)

    def request(self, what: str, job: Job, seconds: float = 0) -> Step:
        provider = job.attempt.provider if job.attempt else None
        facts = {"service.peer.name": provider} if provider else {}
        began = time.time_ns() - round(seconds * 1e9) if seconds else None
        return self._begin(what, SpanKind.CLIENT, facts, None, began)

    def webhook(self, type_: str, traceparent: str | None) -> Step:
        facts = {"http.request.method": "POST", f"{SYSTEM}.webhook.type": type_}
        return self._begin("POST webhook", SpanKind.CLIENT, facts, traceparent, root=True)

    def _begin(
        self,
        name: str,
        kind: SpanKind,
        facts: Facts,
        traceparent: str | None,
        began: int | None = None,
        *,
        root: bool = False,
    ) -> Step:
        """Begin a span below what a traceparent names; without one, below what this thread does,
        or, for what begins a trace, as a `root`.
        """
        context = _context(traceparent) if traceparent else Context() if root else None
        span = self._tracer.start_span(
            name, context, kind, attributes=dict(facts), start_time=began
        )
        return OpenStep(span, traceparent)


@lru_cache(maxsize=4)
def of_provider(provider: trace.TracerProvider) -> OpenSpans:
    """Return what tells this provider."""
    return OpenSpans(provider)


def _operation(name: str, kind: str) -> Facts:
    """Return how the conventions name what is done with messages: ours are jobs."""
    return {
        "messaging.system": SYSTEM,
        "messaging.operation.name": name,
        "messaging.operation.type": kind,
    }


def _traceparent(context: trace.SpanContext) -> str:
    return written(
        trace.format_trace_id(context.trace_id),
        trace.format_span_id(context.span_id),
        context.trace_flags,
    )


def _context(traceparent: str) -> Context:
    """Return what a span belongs below, of a traceparent that is right."""
    _, trace_id, span_id, flags = traceparent.split("-")
    parent = trace.SpanContext(
        int(trace_id, 16),
        int(span_id, 16),
        is_remote=True,
        trace_flags=trace.TraceFlags(int(flags, 16)),
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(parent), Context())
