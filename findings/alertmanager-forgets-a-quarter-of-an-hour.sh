#!/usr/bin/env bash
# Alertmanager 0.25.0 (Debian 12): one that is killed has forgotten each silence of the last 15 minutes, and whom it told
# of what: planned work calls people, and one incident calls them twice.
#
# A silence is answered with its id, stands on Alertmanager's page, and has a folder for data: one takes it that it
# is in there, as with any database. But silences, and the log of what was told, are in memory. They are written every
# 15 minutes (--data.maintenance-interval), and at an orderly end. After a kill (out of memory, a container that
# did not end in time, power) Alertmanager starts without an error from what it had then: each alert that fires is
# told again as if it were new, whatever repeat_interval says, and what was silenced a moment ago rings.
# It happens when it hurts most: memory is short while many alerts fire, and it is then that people silence. A second
# Alertmanager beside it (a cluster) gives both back. One alone: --data.maintenance-interval=10s, and a receiver
# that knows an incident by fingerprint and `startsAt`.
#
# Seen: after a kill no silence, the alert told a second time, the silenced one told; after an orderly end, and
# after a kill with an interval of 1 s, the silence, and nothing told.
#
# Needs Alertmanager on the PATH; says so and exits 0 where there is none.
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
program=$(command -v prometheus-alertmanager || command -v alertmanager || true)
if [ -z "$program" ]; then
    echo 'not tried: there is no Alertmanager here (Debian: prometheus-alertmanager)'
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 - "$folder" "$program" <<'PYTHON'
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

folder, program = Path(sys.argv[1]), sys.argv[2]
told = []  # (name, firing or resolved)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        told.extend((alert["labels"]["alertname"], alert["status"]) for alert in body["alerts"])
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=receiver.serve_forever, daemon=True).start()
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
(folder / "config.yml").write_text(f"""
route: {{receiver: voice, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}}
receivers:
  - {{name: voice, webhook_configs: [{{url: "http://127.0.0.1:{receiver.server_port}/"}}]}}
""")


def ask(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers, method=method)
    return urllib.request.urlopen(request, timeout=10).read()


def until(condition, what):
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"it did not come about: {what}")
        time.sleep(0.1)


def ready():
    try:
        return ask("GET", "/-/ready")
    except OSError:
        return False


def now(**after):
    return (datetime.now(timezone.utc) + timedelta(**after)).isoformat()


def silences():
    return len(json.loads(ask("GET", "/api/v2/silences")))


def report(name, began):
    ask("POST", "/api/v2/alerts", [{"labels": {"alertname": name}, "startsAt": began, "endsAt": now(hours=1)}])


@contextmanager
def alertmanager(data, end, *options):
    """Run it on a folder for data, and end it by a signal."""
    argv = [program, f"--config.file={folder}/config.yml", f"--storage.path={folder}/{data}", *options]
    listen = ["--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{port}"]
    with open(folder / "log", "ab") as log:
        process = subprocess.Popen([*argv, *listen], stdout=log, stderr=log)
    try:
        until(ready, "Alertmanager is ready")
        yield
    finally:
        process.send_signal(end)
        process.wait()


def after(end, *options):
    """Return what is told, and how many silences there are, after a restart by this signal."""
    told.clear()
    data, began = f"{end.name}{len(options)}", now()
    matcher = {"name": "alertname", "value": "PlannedWork", "isRegex": False, "isEqual": True}
    silence = {"matchers": [matcher], "startsAt": now(), "endsAt": now(hours=1), "createdBy": "ann", "comment": "on it"}
    with alertmanager(data, end, *options):
        ask("POST", "/api/v2/silences", silence)
        report("DiskFull", began)
        report("PlannedWork", began)
        until(lambda: told, "the alert is told")
        time.sleep(4)  # some looks at each group, and time to write
    before = [*told]
    with alertmanager(data, signal.SIGKILL, *options):
        report("DiskFull", began)
        report("PlannedWork", began)
        time.sleep(4)
        return before, sorted(told[len(before):]), silences()


first, again, work = [("DiskFull", "firing")], ("DiskFull", "firing"), ("PlannedWork", "firing")
EXPECTED = {
    "a kill": (first, [again, work], 0),
    "an orderly end": (first, [], 1),
    "a kill, --data.maintenance-interval=1s": (first, [], 1),
}
found = {
    "a kill": after(signal.SIGKILL),
    "an orderly end": after(signal.SIGTERM),
    "a kill, --data.maintenance-interval=1s": after(signal.SIGKILL, "--data.maintenance-interval=1s"),
}
for name, (before, later, kept) in found.items():
    print(f"{name}: told before {before}, after the restart {later}; silences then: {kept}")
sys.exit(0 if found == EXPECTED else "it is different now")
PYTHON
