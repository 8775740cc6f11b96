#!/usr/bin/env bash
# nginx 1.22.1 with `keepalive` to its backend: a GET always comes through; a POST is answered 502 now and then, though
# the backend is well, and nobody got it.
#
# nginx keeps idle connections for 60 s, uvicorn 5 s, gunicorn 2 s, Node 5 s. So it is always the backend that lets
# go, and once in a while it does so in the same millisecond in which nginx sends the next request. A request that comes
# to a closed connection was read by nobody. nginx knows that for a GET and asks again on a new connection, so that
# browsers, health checks and load tests see nothing; for a POST it cannot know, and says 502. Who reports each
# 5, 15 or 60 s sharp (a monitoring, a provider that repeats) meets that millisecond often. It is the callback that is
# lost, and the alert, never the page that one looks at.
# `keepalive_timeout` in `upstream`, shorter than the backend's, makes nginx the one that lets go. (`proxy_next_upstream …
# non_idempotent` repeats POSTs that may have been done.)
#
# Seen, with a backend that closes a kept connection as the second request arrives on it: GET 200, after a second try
# that the client does not see; POST 502, and done 0 times. With keepalive_timeout 1s and 2 s between
# them: POST 200, done once.
#
# Needs nginx on the PATH or in /usr/sbin; says so and exits 0 where there is none.
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
program=$(PATH="$PATH:/usr/sbin" command -v nginx || true)
if [ -z "$program" ]; then
    echo 'not tried: there is no nginx here (Debian: nginx-light)'
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 - "$folder" "$program" <<'PYTHON'
import http.client
import socket
import socketserver
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

folder, program = Path(sys.argv[1]), sys.argv[2]
done, cut = [], []


class Backend(socketserver.StreamRequestHandler):
    """Answers the first request of each connection, and closes it when the next one arrives, unread."""

    def handle(self):
        method = self.rfile.readline().split()[0].decode()
        size = 0
        while (line := self.rfile.readline().strip()):
            if line.lower().startswith(b"content-length:"):
                size = int(line.split(b":")[1])
        self.rfile.read(size)
        done.append(method)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        self.wfile.flush()
        if self.connection.recv(1, socket.MSG_PEEK):
            cut.append(1)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


@contextmanager
def nginx(name, options):
    home = folder / name
    home.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    temporary = "".join(f"{each}_temp_path {home}/{each}; " for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (home / "nginx.conf").write_text(f"""
daemon off; master_process off; pid {home}/pid; error_log {home}/errors;
events {{ }}
http {{
    access_log off; {temporary}
    upstream backend {{ server 127.0.0.1:{backend.server_address[1]}; keepalive 8; {options} }}
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}
}}
""")
    process = subprocess.Popen([program, "-c", f"{home}/nginx.conf", "-e", f"{home}/errors", "-p", str(home)])
    try:
        yield port
    finally:
        process.kill()
        process.wait()


def ask(port, method):
    """Return the status of one request, on a connection of its own to nginx."""
    end = time.monotonic() + 30
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request(method, "/callback", b"ended" if method == "POST" else None)
            return connection.getresponse().status
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def second(name, method, options="", pause=0.2):
    """Ask once, wait, and ask again; return the second's status, how often it was done, and what was cut."""
    with nginx(name, options) as port:
        assert ask(port, "GET") == 200
        done.clear(), cut.clear()
        time.sleep(pause)
        found = (ask(port, method), done.count(method), len(cut))
        print(f"{name}: {method} {found[0]}, done {found[1]} times, connections closed under it: {found[2]}", flush=True)
        return found


with ExitStack() as stack:
    backend = stack.enter_context(Server(("127.0.0.1", 0), Backend))
    threading.Thread(target=backend.serve_forever, daemon=True).start()
    stack.callback(backend.shutdown)
    found = [
        second("get", "GET"),
        second("post", "POST"),
        second("post-shorter", "POST", "keepalive_timeout 1s;", pause=2),
    ]
sys.exit(0 if found == [(200, 1, 1), (502, 0, 1), (200, 1, 0)] else "it is different now")
PYTHON
