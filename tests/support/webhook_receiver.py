"""A receiver of webhooks over real HTTP, as well and as badly behaved as its paths say."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook as Verifier

from dispatcher.values.webhook_secrets import WebhookSecrets

SECRET = "whsec_" + "c2VjcmV0LW9mLTI0LWJ5dGVzLWF0LWxlYXN0" + "AAAA"


def account_secret(url: str, own: str = SECRET) -> str:
    """Return what a receiver of the account verifies with, where the dispatcher has `own`."""
    (secret,) = WebhookSecrets((own,)).of_account(url)
    return secret


def job_secret(url: str, own: str = SECRET) -> str:
    """The same for receivers that jobs name."""
    (secret,) = WebhookSecrets((own,)).of_job(url)
    return secret


@dataclass
class Delivery:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def event(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> dict[str, Any]:
        """Return the payload as a receiver with the secret reads it, or raise."""
        payload: dict[str, Any] = Verifier(secret).verify(self.body, self.headers)
        return payload

    def read(self) -> dict[str, Any]:
        payload: dict[str, Any] = json.loads(self.body)
        return payload


class Receiver:
    """`answers` maps a path to a status, or to what is done with the request; others: 200."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.got: list[Delivery] = []
        self.let_go = threading.Event()
        self.url = ""

    def at(self, path: str) -> list[Delivery]:
        return [each for each in self.got if each.path == path]


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.got.append(Delivery(self.path, headers, body))
            answer = receiver.answers.get(self.path, 200)
            if callable(answer):
                answer(self)
            else:
                self.reply(answer)

        do_GET = do_POST  # noqa: N815 - as http.server wants it

        def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def reply_dated(self, status: int, Date: str, **headers: str) -> None:  # noqa: N803
            """Reply with a Date of one's own."""
            self.date_time_string = lambda *_: Date  # type: ignore[method-assign]
            self.reply(status, **headers)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing: the client may hang up whenever it likes."""


@contextmanager
def receiving(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver()
    with _Server(("127.0.0.1", 0), _handler(receiver)) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        receiver.url = f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield receiver
        finally:
            receiver.let_go.set()
            server.shutdown()


def hang(receiver: Receiver) -> Any:
    """Return an answer that never comes while the test runs."""
    return lambda _: receiver.let_go.wait(30)


def trickle(handler: Any) -> None:
    """Send a header that never ends, a byte at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(200):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def flood(handler: Any) -> None:
    """Answer well, with more than anybody wants to read."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(10**10))
    handler.end_headers()
    while True:  # until nobody listens any more
        handler.wfile.write(b"x" * 100_000)


def nonsense(handler: Any) -> None:
    handler.wfile.write(b"220 smtp.example ready\r\n")
    handler.close_connection = True


def cut(handler: Any) -> None:
    handler.close_connection = True


def redirect(handler: Any) -> None:
    handler.reply(302, Location="/elsewhere")


def busy(seconds: str) -> Any:
    return lambda handler: handler.reply(429, Retry_After=seconds)
