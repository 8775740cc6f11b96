#!/usr/bin/env bash
# nginx 1.22.1 with a backend whose name has two addresses: one request that takes too long, and nginx answers everybody
# with 502 for ten seconds, without asking the backend, which is well.
#
# `proxy_pass http://localhost:8000` looks like one backend. On most machines `localhost` is 127.0.0.1 and ::1, and
# nginx makes a server of each. A backend that listens on 127.0.0.1, as most do, is then one that works beside
# one that never does. Nobody sees that: a refused connection is tried again on the other, for a POST as well. But
# a server that failed once (`max_fails` is 1) is left alone for `fail_timeout`, 10 s, and a request without
# an answer in time (`proxy_read_timeout`) is a failure. So the first slow request takes away the one server that
# works: "no live upstreams". Each of the others is refused at once, health checks, callbacks and alerts among them.
# A group of one server is never left alone: nginx does not count there. With 127.0.0.1 in the place of
# `localhost` the same slow request harms itself alone. The same holds for the name of a container or service that
# has an address of each kind. So give the address, or `max_fails=0`.
#
# Seen, after one POST that took 3 s where 1 s is allowed (it is answered 504):
#   127.0.0.1           POST and GET answered 200 at once
#   127.0.0.1 and ::1   all 502 for 10 s, none of them reached the backend; before it, all were 200
#
# Needs nginx on the PATH or in /usr/sbin; says so and exits 0 where there is none. Takes the addresses of `localhost` as
# most machines have them, whatever this one's are; without IPv6 the second is refused as well.
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
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

folder, program = Path(sys.argv[1]), sys.argv[2]
reached = []


class Backend(BaseHTTPRequestHandler):
    """Answers /slow after 3 s, and all else at once."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reached.append(self.path)
        if self.path == "/slow":
            time.sleep(3)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_):
        pass


def until(condition, what):
    end = time.monotonic() + 30
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"it did not come about: {what}")
        time.sleep(0.1)


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def nginx(*servers):
    """Run nginx before these servers; give its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    group = " ".join(f"server {server};" for server in servers)
    places = "".join(
        f"{each}_temp_path {folder}/{each}; " for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "conf").write_text(f"""
daemon off; pid {folder}/pid; error_log {folder}/errors; events {{}}
http {{
    access_log off; {places}
    upstream backend {{ {group} }}
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://backend; proxy_read_timeout 1s; }}
    }}
}}
""")
    with open(folder / "log", "ab") as log:
        process = subprocess.Popen([program, "-p", folder, "-c", folder / "conf"], stdout=log, stderr=log)
    try:
        until(lambda: listens(port), "nginx listens")
        yield port
    finally:
        process.terminate()
        process.wait()


def answers(port, path="/", count=1):
    """Return what so many POSTs and GETs are answered."""
    said = []
    for method in ["POST", "GET"] * count:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request(method, path, b"a body" if method == "POST" else None)
        said.append(connection.getresponse().status)
        connection.close()
    return said


def slow(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/slow", b"a body")
    return connection.getresponse().status


with ThreadingHTTPServer(("127.0.0.1", 0), Backend) as backend:
    threading.Thread(target=backend.serve_forever, daemon=True).start()
    there = f"127.0.0.1:{backend.server_port}"
    found = {}
    for name, servers in (("one", [there]), ("two", [there, f"[::1]:{backend.server_port}"])):
        with nginx(*servers) as port:
            before, was_slow = set(answers(port, count=4)), slow(port)
            reached.clear()
            began = time.monotonic()
            after = set(answers(port, count=4))
            asked = len(reached)
            until(lambda: 502 not in answers(port), "it answers again")
            lasted = time.monotonic() - began
        found[name] = before, was_slow, after, asked
        print(f"{name} address{'' if name == 'one' else 'es'}: before {before}, the slow one {was_slow}, right after it"
              f" {after}, of which the backend saw {asked} of 8; well again after {lasted:.0f} s")
    backend.shutdown()
as_seen = (
    found["one"] == ({200}, 504, {200}, 8)
    and found["two"] == ({200}, 504, {502}, 0)
    and 7 < lasted < 15
)
sys.exit(0 if as_seen else "it is different now")
PYTHON
