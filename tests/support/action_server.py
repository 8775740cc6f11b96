"""A web server that is asked what a person who calls is to hear."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

Query = list[tuple[str, str]]
Action = Callable[[Query], tuple[bytes, str]]
"""Takes a query, and returns the body of the answer and its content type."""


@contextmanager
def action_server(action: Action, status: int = 200) -> Iterator[str]:
    """Run one; the value is its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qsl(urlsplit(self.path).query, keep_blank_values=True)
            body, kind = action(query)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/dial-in/secret"
        server.shutdown()
        thread.join(5)
