"""What traces tell of a job's way, on a real store: one tree, and nobody's number."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from dispatcher import AsyncDispatcher, Dispatcher
from dispatcher.alerts.alerting import Alerting
from dispatcher.alerts.sources import direct
from dispatcher.model.on_call import Chain, Contact, OnCall, Route, Step
from dispatcher.model.request import JobRequest
from dispatcher.model.states import State
from dispatcher.policy import Policy
from dispatcher.provider import Unavailable
from dispatcher.provider.fake import FakeProvider
from dispatcher.spans import of_provider
from dispatcher.store import Store
from dispatcher.store.callbacks import Callback
from dispatcher.store.slots import Slots
from dispatcher.tracing import UNTRACED, Spans, spans
from support.dialling import dialling
from support.hidden_numbers import NUMBER, tells
from support.webhook_jobs import deliver, run
from support.webhook_receiver import cut, receiving
from workers.engine.apply_callbacks import ApplyReports
from workers.engine.check_call import CheckCall
from workers.engine.dial import Dial

CALLER = "+815012345678"
SAY = "The wombats are loose."
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GIVEN = f"00-{TRACE}-{SPAN}-01"
POLICY = Policy(call_deadline=3600)


class Told:
    """The spans that were told of, by name."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def all(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def names(self) -> list[str]:
        return [span.name for span in self.all()]

    def one(self, name: str) -> ReadableSpan:
        (span,) = [each for each in self.all() if each.name == name]
        return span


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """OpenTelemetry is in use, as a service sets it up."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield Told(exporter)
    provider.shutdown()


@pytest.fixture
def store(redis_client: redis.Redis) -> Store:
    return Store(redis_client, namespace=f"traced{random.randbytes(4).hex()}")


class Messenger:
    """Wakes nobody."""

    def require_suitable(self) -> None:
        pass

    def wake(self, _priority: Any) -> None:
        pass


@pytest.fixture
def dispatcher(store: Store) -> Dispatcher:
    return Dispatcher(store, Messenger())  # type: ignore[arg-type]


def dialled(store: Store, provider: FakeProvider, telling: Spans) -> State | None:
    """Have the next job dialled; return how it is left."""
    dial = Dial(store, provider, POLICY, CALLER, spans=telling)
    with dialling(store, dial, spans=telling) as turns:
        return turns.get(timeout=30).state


def checked(store: Store, provider: FakeProvider, id_: str, telling: Spans) -> State | None:
    return CheckCall(store, provider, POLICY, Slots(store.limiter), telling)(id_).state


def reported(store: Store, provider: FakeProvider, id_: str, telling: Spans) -> State | None:
    """Have the provider's report of a job's call applied."""
    (call,) = provider.calls
    report = provider.status(store.jobs.get(id_).attempts[0].call)
    store.callbacks.receive([Callback(id_, 1, call.callid, report.word, report.outcome)], {})
    (turn,) = ApplyReports(store, store.callbacks, POLICY, spans=telling)()
    return turn.state


def ids(span: ReadableSpan) -> tuple[str, str, str]:
    """Return a span's trace, its own id and its parent's, in hex digits."""
    context = span.get_span_context()
    assert context
    parent = trace.format_span_id(span.parent.span_id) if span.parent else ""
    return trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id), parent


def parent_of(told: Told, name: str) -> str:
    """Return the name of the span that one is below, or the id of one that is not ours."""
    _, _, parent = ids(told.one(name))
    return next((span.name for span in told.all() if ids(span)[1] == parent), parent)


# -- one tree ------------------------------------------------------------------------------


def test_a_call_is_one_tree_below_what_asked_for_it(
    told: Told, store: Store, dispatcher: Dispatcher
) -> None:
    provider, telling = FakeProvider(rings=0), spans()
    job = dispatcher.call(NUMBER, say=SAY, priority="urgent", traceparent=GIVEN)
    assert dialled(store, provider, telling) is State.IN_PROGRESS
    assert checked(store, provider, job.id, telling) is State.COMPLETED
    parents = {span.name: parent_of(told, span.name) for span in told.all()}
    assert parents == {
        "enqueue": SPAN,
        "dial urgent": "enqueue",
        "claim": "dial urgent",
        "place call": "dial urgent",
        "check call urgent": "enqueue",
        "ask status": "check call urgent",
    }
    assert {ids(span)[0] for span in told.all()} == {TRACE}


def test_spans_say_what_the_conventions_have_names_for(
    told: Told, store: Store, dispatcher: Dispatcher
) -> None:
    job = dispatcher.call(NUMBER, say=SAY)
    dialled(store, FakeProvider(), spans())
    dial, enqueue = told.one("dial normal"), told.one("enqueue")
    waited = (dial.attributes or {})["voice_dispatcher.waited_ms"]
    assert isinstance(waited, int)
    assert 0 <= waited < 60_000
    assert dict(dial.attributes or {}) == {
        "messaging.system": "voice_dispatcher",
        "messaging.operation.name": "dial",
        "messaging.operation.type": "process",
        "messaging.destination.name": "normal",
        "messaging.message.id": job.id,
        "voice_dispatcher.kind": "tts",
        "voice_dispatcher.attempt": 1,
        "voice_dispatcher.waited_ms": waited,
        "voice_dispatcher.state": "in_progress",
    }
    kinds = {span.name: span.kind for span in told.all()}
    assert kinds == {
        "enqueue": SpanKind.PRODUCER,
        "dial normal": SpanKind.CONSUMER,
        "claim": SpanKind.CLIENT,
        "place call": SpanKind.CLIENT,
    }
    assert (enqueue.attributes or {})["messaging.operation.type"] == "send"
    assert (told.one("place call").attributes or {})["service.peer.name"] == "xoxzo"


def test_times_are_those_of_what_happened(told: Told, store: Store, dispatcher: Dispatcher) -> None:
    dispatcher.call(NUMBER, say=SAY)
    dialled(store, FakeProvider(), spans())
    dial, claim, placed = (told.one(name) for name in ("dial normal", "claim", "place call"))
    order = [dial.start_time, claim.end_time, placed.start_time, placed.end_time, dial.end_time]
    assert claim.start_time == dial.start_time
    assert None not in order
    assert order == sorted(order, key=lambda at: at or 0)


def test_a_call_of_no_trace_begins_one_with_its_first_turn(told: Told, store: Store) -> None:
    """Whoever asked for it was not traced: such as the command line."""
    provider, telling = FakeProvider(rings=0), spans()
    job = store.jobs.enqueue(JobRequest.of({"recipient": NUMBER, "say": SAY}))
    dialled(store, provider, telling)
    trace_id, dial, parent = ids(told.one("dial normal"))
    assert parent == ""
    assert str(store.jobs.get(job.id).traceparent).startswith(f"00-{trace_id}-{dial}-0")
    checked(store, provider, job.id, telling)
    assert parent_of(told, "check call normal") == "dial normal"


def test_what_a_service_is_doing_is_what_its_calls_belong_to(
    told: Told, dispatcher: Dispatcher
) -> None:
    with trace.get_tracer("a service").start_as_current_span("remind"):
        dispatcher.call(NUMBER, say=SAY)
        bulk = dispatcher.call_many({"recipient": NUMBER, "say": SAY} for _ in range(3)).collect()
    enqueues = [span for span in told.all() if span.name == "enqueue"]
    remind = ids(told.one("remind"))[1]
    assert [ids(span)[2] for span in enqueues] == [remind, remind]
    assert (enqueues[1].attributes or {})["messaging.batch.message_count"] == 3
    made = {dispatcher.job(handle.id).traceparent for handle in bulk.jobs}
    (kept,) = made
    assert str(kept).split("-")[1:3] == [*ids(enqueues[1])[:2]]


def test_what_a_service_in_asyncio_is_doing_is_what_its_calls_belong_to(
    told: Told, store: Store
) -> None:
    async def remind() -> None:
        made = AsyncDispatcher(Dispatcher(store, Messenger()))  # type: ignore[arg-type]
        with trace.get_tracer("a service").start_as_current_span("remind"):
            await made.call(NUMBER, say=SAY)

    asyncio.run(remind())
    assert parent_of(told, "enqueue") == "remind"


def test_calls_of_several_traces_that_are_written_together_stay_apart(
    told: Told, dispatcher: Dispatcher
) -> None:
    traces = [f"00-{number:032x}-{SPAN}-01" for number in (1, 2, 1)]
    rows = [{"recipient": NUMBER, "say": SAY, "traceparent": each} for each in traces]
    bulk = dispatcher.call_many(rows).collect()
    found = [str(dispatcher.job(handle.id).traceparent).split("-")[1] for handle in bulk.jobs]
    assert found == [each.split("-")[1] for each in traces]
    assert len(told.all()) == 2


def test_what_is_not_sampled_is_not_told_of_and_stays_in_its_trace(
    told: Told, store: Store, dispatcher: Dispatcher
) -> None:
    quiet = f"00-{TRACE}-{SPAN}-00"
    job = dispatcher.call(NUMBER, say=SAY, traceparent=quiet)
    dialled(store, FakeProvider(), spans())
    assert told.all() == []
    kept = str(store.jobs.get(job.id).traceparent)
    assert (kept[:36], kept[-3:]) == (quiet[:36], "-00")


def test_a_callback_belongs_to_the_trace_of_its_call(
    told: Told, store: Store, dispatcher: Dispatcher
) -> None:
    provider, telling = FakeProvider(rings=0), spans()
    job = dispatcher.call(NUMBER, say=SAY)
    dialled(store, provider, telling)
    assert reported(store, provider, job.id, telling) is State.COMPLETED
    assert parent_of(told, "apply callback normal") == "enqueue"
    facts = told.one("apply callback normal").attributes or {}
    assert facts["voice_dispatcher.state"] == "completed"


def test_a_webhook_carries_its_trace_on_to_the_receiver(
    told: Told, store: Store, dispatcher: Dispatcher
) -> None:
    with receiving() as receiver:
        job = dispatcher.call(NUMBER, say=SAY, webhook=f"{receiver.url}/ends", traceparent=GIVEN)
        dispatcher.cancel(job.id)
        run(store.webhooks, deliver(store.webhooks, spans=spans()))
    (got,) = receiver.at("/ends")
    trace_id, span_id, _ = ids(told.one("POST webhook"))
    assert got.headers["traceparent"] == f"00-{trace_id}-{span_id}-01"
    assert (trace_id, parent_of(told, "POST webhook")) == (TRACE, "enqueue")
    facts = told.one("POST webhook").attributes or {}
    assert facts["http.response.status_code"] == 200
    assert facts["voice_dispatcher.webhook.type"] == "job.cancelled"


@pytest.mark.parametrize(("status", "why"), [(503, "503"), (404, "404"), (None, "no_answer")])
def test_a_webhook_that_is_not_taken_is_an_error(
    told: Told, store: Store, dispatcher: Dispatcher, status: int | None, why: str
) -> None:
    with receiving() as receiver:
        receiver.answers["/ends"] = status or cut
        job = dispatcher.call(NUMBER, say=SAY, webhook=f"{receiver.url}/ends")
        dispatcher.cancel(job.id)
        run(store.webhooks, deliver(store.webhooks, spans=spans()))
    span = told.one("POST webhook")
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == why


ON_CALL = OnCall(
    contacts={"ann": Contact(numbers=(NUMBER,))},
    chains={"all": Chain(steps=(Step(call=("ann",)),))},
    routes=(Route(chain="all"),),
)


def test_the_calls_of_an_alert_belong_to_the_trace_of_its_report(told: Told, store: Store) -> None:
    store.on_call.publish(ON_CALL, by="sam")
    alerting = Alerting(store, lambda: None)
    event = replace(direct.event("Disk full"), traceparent=GIVEN)
    (recorded,) = alerting.receive([event], actor="monitoring")
    alert = store.alerts.get(recorded.id)
    assert alert.traceparent == GIVEN
    dialled(store, FakeProvider(), spans())
    assert ids(told.one("dial urgent"))[::2] == (TRACE, SPAN)


# -- what it does not say ------------------------------------------------------------------


def test_no_span_tells_a_number_a_text_a_key_or_a_tag(
    told: Told, store: Store, dispatcher: Dispatcher
) -> None:
    provider, telling = FakeProvider(rings=0), spans()
    secret = {"say": f"{SAY} {NUMBER}", "key": f"key-{NUMBER}", "tags": [f"tag-{NUMBER}"]}
    job = dispatcher.call(NUMBER, **secret, meta={"phone": NUMBER})  # type: ignore[arg-type]
    dialled(store, provider, telling)
    checked(store, provider, job.id, telling)
    found = store.jobs.get(job.id)
    step = telling.of_job("dial", found)
    with pytest.raises(RuntimeError), step, step.current():
        raise RuntimeError(NUMBER)
    telling.of_job("held", found).end(state="held", reason="paused:tag:hunter2")
    whole = "\n".join(span.to_json() for span in told.all())
    assert len(told.all()) > 7
    assert job.id in whole
    assert not tells(whole)
    for word in ("wombat", "hunter2", "key-", "tag-"):
        assert word not in whole


def test_what_must_not_show_would_be_found(told: Told) -> None:
    with trace.get_tracer("a service").start_as_current_span(f"call {NUMBER}"):
        pass
    assert tells(told.one(f"call {NUMBER}").to_json())


def test_a_failure_is_told_in_one_word(told: Told, store: Store, dispatcher: Dispatcher) -> None:
    provider = FakeProvider()
    provider.next(Unavailable(f"no line to {NUMBER}"))
    dispatcher.call(NUMBER, say=SAY, max_attempts=1)
    dialled(store, provider, spans())
    placed = told.one("place call")
    assert placed.status.status_code is StatusCode.ERROR
    assert placed.status.description is None
    assert (placed.attributes or {})["error.type"] == "not_placed"
    assert not placed.events


# -- off -----------------------------------------------------------------------------------


def test_without_opentelemetry_nothing_is_told_and_a_trace_is_passed_on(
    store: Store, dispatcher: Dispatcher
) -> None:
    assert spans() is UNTRACED
    with receiving() as receiver:
        job = dispatcher.call(NUMBER, say=SAY, webhook=f"{receiver.url}/ends", traceparent=GIVEN)
        other = dispatcher.call(NUMBER, say=SAY, webhook=f"{receiver.url}/other")
        for each in (job, other):
            dispatcher.cancel(each.id)
        run(store.webhooks, deliver(store.webhooks))
    assert store.jobs.get(job.id).to_dict()["traceparent"] == GIVEN
    assert store.jobs.get(other.id).to_dict()["traceparent"] is None
    (traced,), (plain,) = receiver.at("/ends"), receiver.at("/other")
    assert traced.headers["traceparent"] == GIVEN
    assert "traceparent" not in plain.headers


def test_what_tells_is_made_once_for_a_provider(told: Told) -> None:
    assert spans() is spans() is of_provider(trace.get_tracer_provider())
