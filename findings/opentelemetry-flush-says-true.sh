#!/usr/bin/env bash
# opentelemetry-sdk 1.45.2: force_flush(1 s) waits for 10 s, and says True although nothing was taken.
#
# A process that ends calls `force_flush` with the time that it has left, and goes by the answer. With
# a collector that takes connections and then says nothing (one that is stuck, or a firewall), the time
# is not looked at: it lasts as long as the exporter's own timeout (OTEL_EXPORTER_OTLP_TIMEOUT, 10 s),
# for each batch of 512 spans. The answer is True, though the exporter has failed and the spans are gone.
# `shutdown`, which the SDK calls by itself when the interpreter ends, waits for 10 to 30 s in the same way:
# as long as Kubernetes gives a container before it kills it. Whoever must end in time calls it in a
# thread of its own, and waits for that.
#
# Seen: True after 10 s, and no request was answered.
#
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    opentelemetry-sdk==1.45.2 opentelemetry-exporter-otlp-proto-http==1.45.2

"$folder/venv/bin/python" - <<'PYTHON'
import logging
import socket
import sys
import time

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

logging.disable(logging.CRITICAL)
with socket.create_server(("127.0.0.1", 0)) as silent:  # connections wait in its backlog
    port = silent.getsockname()[1]
    provider = TracerProvider(shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{port}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    provider.get_tracer("finding").start_span("a").end()
    began = time.monotonic()
    said = provider.force_flush(timeout_millis=1000)
    took = time.monotonic() - began
    provider.shutdown()
print(f"force_flush(timeout_millis=1000) said {said} after {took:.1f} s; nobody answered the collector's port")
sys.exit(0 if said is True and took > 5 else 1)
PYTHON
