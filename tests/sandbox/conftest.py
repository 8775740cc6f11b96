"""Sandboxes and a callback receiver on free ports of this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest

from dispatcher.sandbox import SandboxOptions, running
from support.sandbox_client import Client, Receiver, Start


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a sandbox with the options given and returns a client of it."""
    with ExitStack() as stack:

        def started(**options: Any) -> Client:
            given = SandboxOptions(**{"ring": 0.05, "seed": 1, **options})
            client = Client(stack.enter_context(running(given)), (given.sid, given.token))
            stack.enter_context(client.session)
            return client

        yield started


@pytest.fixture(scope="module")
def shared() -> Iterator[Client]:
    """One sandbox for tests that only ask for what it refuses."""
    with running(SandboxOptions(credits=100_000, ring=0.05)) as url:
        client = Client(url)
        with client.session:
            yield client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A running receiver of callbacks."""
    box = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            kind = self.headers.get_content_type()
            is_json = kind == "application/json"
            box.types.append(kind)
            box.received.append(
                json.loads(body) if is_json else dict(parse_qsl(body, keep_blank_values=True))
            )
            self.send_response(box.answers.pop(0) if box.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        box.url = f"http://127.0.0.1:{server.server_port}/callbacks/secret"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield box
        server.shutdown()
        thread.join()
