#!/usr/bin/env bash
# requests 2.34.2 with urllib3 2.8.0: with `max_retries` a GET with a timeout of one second lasts for as long as the
# server likes, up to six hours for each try.
#
# `HTTPAdapter(max_retries=1)` is documented to try again after failed look-ups, connections and connection
# timeouts, "never" where data reached the server. But where the answer is 413, 429 or 503 with a
# Retry-After, urllib3 sleeps as long as that says, in the caller's thread, and asks again; the timeout of
# the request counts for neither. Only POST and PATCH are left alone, so that one tries it with a POST and
# sees nothing. With a daily quota, which Django REST framework tells as Retry-After: 86400, each
# status check of a call holds its thread for six hours (the most that urllib3 2.8 sleeps; before it
# had no limit). `Retry(connect=2)`, which names connections alone, asks eleven times, since its `total` of 10 goes
# on. urllib3's own `request` does it with no option at all. What helps is `status=0` (429 is then an
# error) or `respect_retry_after_header=False` (it is an answer).
#
# Seen, with a timeout of 1 s and Retry-After: 2:
#   GET  max_retries=0                                      429 after  0 s, asked 1 time
#   GET  max_retries=1                                      429 after  2 s, asked 2 times
#   GET  Retry(connect=2)                                   429 after 20 s, asked 11 times
#   POST Retry(connect=2)                                   429 after  0 s, asked 1 time
#   GET  Retry(connect=2, respect_retry_after_header=False) 429 after  0 s, asked 1 time
#   GET  urllib3.request                                    429 after  6 s, asked 4 times
# and 21600 s for Retry-After: 86400.
#
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check requests==2.34.2 urllib3==2.8.0

"$folder/venv/bin/python" - <<'PYTHON'
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

asked = []


class Throttled(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked.append(1)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(429)
        self.send_header("Retry-After", "2")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Throttled)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/"


def seen(name, request):
    """Print and return the status, the whole seconds that it took, and how often the server was asked."""
    asked.clear()
    began = time.monotonic()
    status = request()
    found = (status, int(time.monotonic() - began), len(asked))
    print(f"{name}: {status} after {found[1]} s, asked {found[2]} times", flush=True)
    return found


def by_requests(method, max_retries):
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=max_retries))
    return lambda: session.request(method, url, timeout=1).status_code


told = Retry(connect=2, respect_retry_after_header=False)
found = [
    seen("GET max_retries=0", by_requests("GET", 0)),
    seen("GET max_retries=1", by_requests("GET", 1)),
    seen("GET Retry(connect=2)", by_requests("GET", Retry(connect=2))),
    seen("POST Retry(connect=2)", by_requests("POST", Retry(connect=2))),
    seen("GET Retry(connect=2, respect_retry_after_header=False)", by_requests("GET", told)),
    seen("GET urllib3.request", lambda: urllib3.request("GET", url, timeout=1).status),
]
most = Retry(1).parse_retry_after("86400")
print("a Retry-After of 86400 s is slept for", most, "s")
expected = [(429, 0, 1), (429, 2, 2), (429, 20, 11), (429, 0, 1), (429, 0, 1), (429, 6, 4)]
sys.exit(0 if found == expected and most == 21600 else "it is different now")
PYTHON
