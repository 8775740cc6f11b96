"""How a process comes to send traces: only where it is asked to, and never at a cost to calls."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from config.settings import InvalidSettings, Settings
from dispatcher.client.broker_rights import Part
from dispatcher.spans import OpenSpans
from support.polling import eventually
from support.trace_collector import collecting
from workers import tracing

ROOT = Path(__file__).resolve().parents[2]
LOADED = """
import sys
import {module}
print(*sorted(name for name in sys.modules if name.startswith({prefix!r})))
"""
TOLD_TO_NOBODY = """
import time
from opentelemetry import trace
from config.settings import Settings
from dispatcher.client.broker_rights import Part
from dispatcher.spans import OpenSpans
from workers import tracing

tracing.start(Settings.load(_env_file=None), Part.DIAL)
provider = trace.get_tracer_provider()
telling, longest = OpenSpans(provider), 0.0
for _ in range(10_000):
    began = time.perf_counter()
    telling.server("POST", None).end()
    longest = max(longest, time.perf_counter() - began)
began = time.perf_counter()
tracing.flush(provider, within=0.2)
print(longest, time.perf_counter() - began)
"""
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[TracerProvider]]:
    """The tracer providers that were set up; none of them stays."""
    made: list[TracerProvider] = []
    monkeypatch.setattr(trace, "set_tracer_provider", made.append)
    monkeypatch.setattr("atexit.register", lambda *_: None)
    logger = logging.getLogger("opentelemetry.exporter")
    level = logger.level
    yield made
    logger.setLevel(level)
    for each in made:
        tracing.flush(each)


def settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings.load(_env_file=None)


def loaded(module: str, prefix: str) -> str:
    """Return the modules with a prefix that importing one of ours has loaded."""
    code = LOADED.format(module=module, prefix=prefix)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


# -- off -----------------------------------------------------------------------------------


def test_a_process_that_is_not_traced_loads_nothing_of_opentelemetry() -> None:
    assert loaded("dispatcher, workers.run, workers.container", "opentelemetry") == ""


def test_the_gateway_loads_no_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its web framework loads the interface."""
    assert loaded("workers.gateway.app", "opentelemetry.sdk") == ""


@pytest.mark.parametrize("part", Part)
def test_a_collector_alone_turns_nothing_on(
    monkeypatch: pytest.MonkeyPatch, provider: list[TracerProvider], part: Part
) -> None:
    """Where machines have these variables for all that runs there, nobody asked for ours."""
    tracing.start(settings(monkeypatch, **{ENDPOINT: "http://127.0.0.1:9"}), part)
    assert provider == []


# -- on ------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", Part)
def test_those_who_do_something_for_a_job_are_traced(
    monkeypatch: pytest.MonkeyPatch, provider: list[TracerProvider], part: Part
) -> None:
    tracing.start(settings(monkeypatch, DISPATCHER_TRACING="true"), part)
    assert bool(provider) == (part not in {Part.BEAT, Part.FLOWER, Part.PRODUCER})


def test_a_missing_sdk_stops_the_start_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    asked = settings(monkeypatch, DISPATCHER_TRACING="true")
    with pytest.raises(InvalidSettings, match=r"pip install 'voice-dispatcher\[otel\]'"):
        tracing.start(asked, Part.DIAL)


def test_a_wrong_variable_of_opentelemetry_stops_the_start_in_words(
    monkeypatch: pytest.MonkeyPatch, provider: list[TracerProvider]
) -> None:
    asked = settings(monkeypatch, DISPATCHER_TRACING="true", OTEL_BSP_MAX_QUEUE_SIZE="0")
    with pytest.raises(InvalidSettings, match=r"OTEL_….* max_queue_size must be a positive"):
        tracing.start(asked, Part.DIAL)


def test_a_collector_without_a_scheme_stops_the_start_in_words(
    monkeypatch: pytest.MonkeyPatch, provider: list[TracerProvider]
) -> None:
    asked = settings(monkeypatch, DISPATCHER_TRACING="true", **{ENDPOINT: "collector:4318"})
    with pytest.raises(InvalidSettings, match=f"{ENDPOINT}='collector:4318': it is no http or"):
        tracing.start(asked, Part.DIAL)


def test_what_is_left_is_sent_at_the_end(
    monkeypatch: pytest.MonkeyPatch, provider: list[TracerProvider]
) -> None:
    with collecting() as collector:
        asked = {
            "DISPATCHER_TRACING": "true",
            ENDPOINT: collector.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "api-key=hunter2",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
            "OTEL_BSP_SCHEDULE_DELAY": "60000",
        }
        tracing.start(settings(monkeypatch, **asked), Part.DIAL)
        OpenSpans(provider[0]).server("POST", None).end()
        assert collector.spans == []
        tracing.flush(provider.pop())
        (span,) = collector.spans
    assert (span.service, span.name) == ("voice-dispatcher-dial", "POST")
    assert "deployment.environment.name" in span.whole
    assert collector.headers[0]["api-key"] == "hunter2"


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A collector that takes connections, and answers nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def nobody() -> str:
    """A collector that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("where", ["black_hole", "nobody"])
def test_a_dead_collector_keeps_nobody_waiting(request: pytest.FixtureRequest, where: str) -> None:
    """It takes nothing, and what comes is more than is kept for it: ten thousand spans.

    In a process of its own: the SDK goes on trying for a while after it was told to end.
    """
    asked = {
        "DISPATCHER_TRACING": "true",
        ENDPOINT: request.getfixturevalue(where),
        "OTEL_BSP_SCHEDULE_DELAY": "10",
        "OTEL_BSP_MAX_QUEUE_SIZE": "600",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
    }
    code = [sys.executable, "-c", TOLD_TO_NOBODY]
    done = subprocess.run(
        code, cwd=ROOT, env={**os.environ, **asked}, capture_output=True, text=True, check=True
    )
    longest, flushed = map(float, done.stdout.split())
    assert longest < 1
    assert flushed < 2


def test_traces_go_out_while_the_process_runs(
    monkeypatch: pytest.MonkeyPatch, provider: list[TracerProvider]
) -> None:
    with collecting() as collector:
        asked = {
            "DISPATCHER_TRACING": "true",
            ENDPOINT: collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "10",
            "OTEL_SERVICE_NAME": "calls",
        }
        tracing.start(settings(monkeypatch, **asked), Part.GATEWAY)
        OpenSpans(provider[0]).server("GET", None).end()
        eventually(lambda: collector.spans, "the span is sent")
        tracing.flush(provider.pop())
    assert collector.spans[0].service == "calls"
