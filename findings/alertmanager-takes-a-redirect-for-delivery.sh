#!/usr/bin/env bash
# Alertmanager 0.25.0 (Debian 12): an alert that is sent to an address with a redirect is lost, and counts as delivered.
#
# A webhook's URL says http, the receiver moved to https, or a proxy adds a slash: it answers 301, 302 or 303. As
# browsers do, Alertmanager goes on to the new address with a GET that has no body. Any page there, a form
# for logging in as well, answers 200, and Alertmanager is content: nothing in its log, no failed
# request in its metrics, one notification more, and no other try until repeat_interval. Everything looks well
# while nobody can be woken. 307 and 308 keep the POST and its body.
# `follow_redirects: false` in http_config makes it an error that shows. A receiver should answer GET with 405.
#
# Seen: for 301, 302 and 303 one POST, then a GET without a body, counted as a notification that did not fail; for
# 307 and 308 the alert itself; with follow_redirects: false a failed notification.
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
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

folder, program = Path(sys.argv[1]), sys.argv[2]
asked = []  # (method, path, bytes of the body)


class Receiver(BaseHTTPRequestHandler):
    """Answers at /301 and the like with a redirect to /new, and there with a page."""

    def do_POST(self):
        size = int(self.headers.get("Content-Length") or 0)
        asked.append((self.command, self.path, len(self.rfile.read(size))))
        self.send_response(200 if self.path == "/new" else int(self.path[1:]))
        self.send_header("Location", "/new")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_):
        pass


receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=receiver.serve_forever, daemon=True).start()


def get(url, body=None):
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10) as answer:
        return answer.read().decode()


def until(condition, what):
    end = time.monotonic() + 60
    while True:
        try:
            if condition():
                return
        except OSError:
            pass
        if time.monotonic() > end:
            sys.exit(f"it did not come about: {what}")
        time.sleep(0.1)


@contextmanager
def alertmanager(name, path, follows):
    home = folder / name
    home.mkdir()
    (home / "config.yml").write_text(f"""
route: {{receiver: hook, group_wait: 0s, group_interval: 10s, repeat_interval: 4h}}
receivers:
  - name: hook
    webhook_configs:
      - {{url: "http://127.0.0.1:{receiver.server_port}{path}", http_config: {{follow_redirects: {follows}}}}}
""")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    options = [f"--config.file={home}/config.yml", f"--storage.path={home}", f"--web.listen-address={address}"]
    with open(home / "log", "wb") as log:
        server = subprocess.Popen([program, *options, "--cluster.listen-address="], stdout=log, stderr=log)
    try:
        until(lambda: get(f"http://{address}/-/ready"), "Alertmanager is ready")
        yield f"http://{address}"
    finally:
        server.kill()
        server.wait()


def figure(url, name):
    """Return what Alertmanager counts of its webhooks under a name, for all reasons together."""
    lines = [line for line in get(f"{url}/metrics").splitlines() if line.startswith(f'{name}{{integration="webhook"')]
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in lines)


def seen(status, follows="true"):
    """Return what was asked for one alert, and how many notifications and failed requests it made."""
    asked.clear()
    with alertmanager(f"{status}-{follows}", f"/{status}", follows) as url:
        get(f"{url}/api/v2/alerts", json.dumps([{"labels": {"alertname": "DiskFull"}}]).encode())
        sent = "alertmanager_notification_requests_total"
        until(lambda: figure(url, sent), "it is sent")
        time.sleep(1)
        failed = figure(url, "alertmanager_notification_requests_failed_total") > 0
        told = [(method, path, size > 0) for method, path, size in asked]
        print(f"{status}, follow_redirects {follows}:", *asked, "| failed" if failed else "| delivered", flush=True)
        return told[:2], failed


found = [seen(status) for status in (301, 302, 303, 307, 308)]
refused = seen(301, "false")
lost = [([("POST", f"/{status}", True), ("GET", "/new", False)], False) for status in (301, 302, 303)]
kept = [([("POST", f"/{status}", True), ("POST", "/new", True)], False) for status in (307, 308)]
as_seen = found == lost + kept and refused[0][0] == ("POST", "/301", True) and ("GET", "/new", False) not in refused[0]
sys.exit(0 if as_seen and refused[1] else "it is different now")
PYTHON
