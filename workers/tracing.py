"""Sends traces by OpenTelemetry's SDK: where to, and how many, its own variables say (OTEL_…).

The spans are made in dispatcher/spans.py. Nobody waits for a collector: what it does not take is
dropped, and what is left when the process ends has a moment.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from typing import TYPE_CHECKING, Final

from config.settings import InvalidSettings, Settings
from dispatcher import __version__
from dispatcher.client.broker_rights import Part
from dispatcher.values.masking import hide_password

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

TRACED: Final = frozenset({Part.DIAL, Part.CALL_TASK, Part.WEBHOOKS, Part.GATEWAY})
"""The processes that do something for a job."""
ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
FLUSH_WITHIN: Final = 2.0
"""Seconds that a process waits for the collector when it ends."""


def start(settings: Settings, part: Part) -> None:
    """Send the traces of this process from now on, where that is asked for. Called in the process
    itself: the threads that send would not live on in one that is forked.

    Raises InvalidSettings where the SDK is not installed, or a variable of its own is wrong.
    """
    if not settings.tracing or part not in TRACED:
        return
    _require_urls()
    try:
        provider = _provider(settings, part)
    except ImportError as error:
        raise InvalidSettings(
            f"DISPATCHER_TRACING is set, and {error.name or 'OpenTelemetry'} is not installed:"
            " pip install 'voice-dispatcher[otel]', or unset it"
        ) from None
    except ValueError as error:
        raise InvalidSettings(f"a variable of OpenTelemetry (OTEL_…) is wrong: {error}") from None
    # Each failure is told twice: once as an error, and before as what is tried again.
    logging.getLogger("opentelemetry.exporter").setLevel(logging.ERROR)
    atexit.register(flush, provider)


def _require_urls() -> None:
    """Raise InvalidSettings where a collector has no URL: each batch would fail, and say so."""
    for name in ENDPOINTS:
        value = os.environ.get(name, "")
        if value and not value.startswith(("http://", "https://")):
            raise InvalidSettings(
                f"{name}={hide_password(value)!r}: it is no http or https URL; give one such as"
                " http://collector.example:4318"
            )


def _provider(settings: Settings, part: Part) -> TracerProvider:
    """Return the tracer provider of this process, which `dispatcher.tracing.spans` finds."""
    from opentelemetry import trace  # noqa: PLC0415 - only who is traced has a use for it
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    named = os.environ.get("OTEL_SERVICE_NAME") or f"voice-dispatcher-{part}"
    told = {
        "service.name": named,
        "service.namespace": settings.namespace,
        "service.version": __version__,
    }
    provider = TracerProvider(resource=Resource.create(told), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


def flush(provider: TracerProvider, within: float = FLUSH_WITHIN) -> None:
    """Send what is left; a collector that does not answer keeps nobody from ending."""
    sending = threading.Thread(target=provider.shutdown, name="traces-flush", daemon=True)
    sending.start()
    sending.join(within)
