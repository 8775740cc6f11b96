"""One trace from a request over HTTP to the webhook that says how it ended, by real processes."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from celery import Celery

from dispatcher.model.api_key import Scope
from dispatcher.model.key_rights import EVERYTHING
from support.e2e_stack import CALL_QUEUE, QUICK, STARTS_WITHIN, Up
from support.hidden_numbers import NUMBER, tells
from support.polling import eventually
from support.trace_collector import Collector, Told, collecting
from support.webhook_receiver import Delivery, receiving

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
MESSAGE_TRACE = TRACE[::-1]
SECRETS = {
    "say": f"The wombats are loose: {NUMBER}",
    "key": f"hunter2-{NUMBER}",
    "tags": [f"hunter2-{NUMBER}"],
    "meta": {"phone": NUMBER},
}


@dataclass(frozen=True)
class Traced:
    """What the collector and the receiver of webhooks were told of two calls, by HTTP and by the
    call task, when the processes had ended.
    """

    spans: list[Told]
    webhook: Delivery

    def of(self, trace: str) -> dict[str, Told]:
        found = [span for span in self.spans if span.trace == trace]
        return {
            f"{span.service.removeprefix('voice-dispatcher-')}: {span.name}": span for span in found
        }


def two_calls(folder: Path) -> Traced:
    with collecting() as collector, receiving() as receiver:
        settings = {
            **QUICK,
            "DISPATCHER_TRACING": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "500",
        }
        with Up(folder, "--no-flower", **settings) as up:
            by_http(up, f"{receiver.url}/ends")
            by_message(up)
            eventually(lambda: receiver.got, "the receiver is told", STARTS_WITHIN)
            eventually(lambda: dialled(collector), "both are traced", STARTS_WITHIN)
            assert up.stop(signal.SIGTERM) == 0
        return Traced(list(collector.spans), receiver.got[0])


def by_http(up: Up, webhook: str) -> None:
    _, key = up.dispatcher.store.api_keys.create("billing", (Scope.ENQUEUE,), rights=EVERYTHING)
    answer = requests.post(
        f"{up.announced['gateway_url']}/v1/jobs",
        json={"recipient": NUMBER, "webhook": webhook, **SECRETS},
        headers={"Authorization": f"Bearer {key}", "traceparent": f"00-{TRACE}-{SPAN}-01"},
        timeout=180,
    )
    assert answer.status_code == 202, answer.text
    up.ended([answer.json()["id"]], 180)


def by_message(up: Up) -> None:
    with Celery(broker=up.redis_url, backend=up.redis_url) as app:
        app.conf.task_default_queue = CALL_QUEUE
        headers = {"traceparent": f"00-{MESSAGE_TRACE}-{SPAN}-01"}
        asked: dict[str, Any] = {"recipient": NUMBER, "say": "Hello"}
        sent = app.send_task("dispatcher.call", kwargs=asked, headers=headers)
        up.ended([sent.get(180)], 180)


def dialled(collector: Collector) -> bool:
    """Whether the collector has the turns of both calls."""
    turns = {span.trace for span in collector.spans if span.name == "dial normal"}
    return {TRACE, MESSAGE_TRACE} <= turns


def below(spans: dict[str, Told]) -> dict[str, str]:
    """Return what each span is below, by its name, or the id of one that is not ours."""
    names = {span.id: name for name, span in spans.items()}
    return {name: names.get(span.parent, span.parent) for name, span in spans.items()}


@pytest.mark.played(by=two_calls)
def test_a_call_over_http_is_one_tree_from_its_request_to_its_webhook(outcome: Traced) -> None:
    spans = outcome.of(TRACE)
    tree = below(spans)
    assert tree["gateway: POST /v1/jobs"] == SPAN
    assert tree["gateway: enqueue"] == "gateway: POST /v1/jobs"
    assert tree["dial: dial normal"] == "gateway: enqueue"
    assert tree["dial: claim"] == tree["dial: place call"] == "dial: dial normal"
    assert tree["webhooks: POST webhook"] == "gateway: enqueue"
    ends = [
        name for name in tree if name in {"dial: apply callback normal", "dial: check call normal"}
    ]
    assert {tree[name] for name in ends} == {"gateway: enqueue"}
    webhook = spans["webhooks: POST webhook"]
    assert outcome.webhook.headers["traceparent"] == f"00-{TRACE}-{webhook.id}-01"
    assert spans["gateway: POST /v1/jobs"].facts["http.response.status_code"] == 202


@pytest.mark.played(by=two_calls)
def test_a_call_over_the_broker_is_of_the_trace_of_its_message(outcome: Traced) -> None:
    tree = below(outcome.of(MESSAGE_TRACE))
    assert tree["call-task: dispatcher.call"] == SPAN
    assert tree["call-task: enqueue"] == "call-task: dispatcher.call"
    assert tree["dial: dial normal"] == "call-task: enqueue"


@pytest.mark.played(by=two_calls)
def test_no_span_of_any_process_tells_a_number_or_a_text(outcome: Traced) -> None:
    whole = "\n".join(span.whole for span in outcome.spans)
    assert len(outcome.spans) > 10
    assert not tells(whole)
    assert not [word for word in ("wombat", "hunter2", "/callbacks/") if word in whole]
