#!/usr/bin/env bash
# Prometheus 2.42.0 with its promtool (Debian 12): an alert whose target answers four of five scrapes never fires, though
# promtool's test of the same samples says that it does.
#
# A value is said to hold for five minutes (the lookback), so that a scrape that fails now and then is no matter: one writes
# `broken == 1` with `for: 5m`, tests it in promtool with a gap (`1 1 _ 1 1`), and it fires. But `_` is a sample that is
# not there. A scrape that fails (a timeout, a 503, a restart, a full queue) makes Prometheus write for each series
# that it has ended. The next evaluation finds nothing, and `for` begins anew; an alert that fired is over.
# So what is broken badly enough to fail one scrape within each `for` wakes nobody, for ever; with `for: 60m` one
# failure an hour does. And one that fires is "resolved" and a new incident with each: people are called again.
# promtool has a word for it, `stale`, with which its test tells the truth.
# `last_over_time(broken[3m]) == 1` goes through failed scrapes, and takes in a real 0 at once. (`keep_firing_for`
# holds what fires, and does nothing for what is not firing yet.)
#
# Seen, with a scrape each second, every fifth answered 503, and `for: 6s`:
#   promtool, gaps `_`          both fire
#   promtool, gaps `stale`      last_over_time alone
#   Prometheus, for 30 s        last_over_time alone; the other was pending five times and more
#
# Needs Prometheus and promtool on the PATH; says so and exits 0 where there are none.
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
if ! command -v prometheus >/dev/null || ! command -v promtool >/dev/null; then
    echo 'not tried: Prometheus or promtool is missing (Debian: prometheus)'
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 - "$folder" <<'PYTHON'
import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

folder = Path(sys.argv[1])
FIFTH, WATCHED = 5, 30  # every fifth scrape fails; seconds
scrapes = count(1)


class Target(BaseHTTPRequestHandler):
    """Is broken, and says so in four of five scrapes."""

    def do_GET(self):
        well = next(scrapes) % FIFTH
        body = b"broken 1\n" if well else b""
        self.send_response(200 if well else 503)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


(folder / "rules.yml").write_text("""
groups:
  - name: rules
    rules:
      - {alert: Plain, expr: broken == 1, for: 6s}
      - {alert: LastOverTime, expr: 'last_over_time(broken[5s]) == 1', for: 6s}
""")


def by_promtool(gap):
    """Return what fires with such a gap at every fifth sample."""
    values = " ".join(["1 1 1 1", gap] * (WATCHED // FIFTH))
    ever = f"max by (alertname) (max_over_time(ALERTS{{alertstate='firing'}}[{WATCHED}s]))"
    test = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1s",
        "tests": [{
            "interval": "1s",
            "input_series": [{"series": "broken", "values": values}],
            "promql_expr_test": [{"expr": ever, "eval_time": f"{WATCHED}s", "exp_samples": []}],
        }],
    }
    (folder / "test.yml").write_text(json.dumps(test))  # JSON is YAML
    ran = subprocess.run(["promtool", "test", "rules", folder / "test.yml"], capture_output=True, text=True)
    return set(re.findall(r'alertname="(\w+)"', ran.stdout + ran.stderr))


def by_prometheus():
    """Return what fires, and since when each was pending, while Prometheus looks at the target."""
    target = ThreadingHTTPServer(("127.0.0.1", 0), Target)
    threading.Thread(target=target.serve_forever, daemon=True).start()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "prometheus.yml").write_text(json.dumps({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [
            {"job_name": "target", "static_configs": [{"targets": [f"127.0.0.1:{target.server_port}"]}]}
        ],
    }))
    argv = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([*argv, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        firing, pending = set(), {"Plain": set(), "LastOverTime": set()}
        until = time.monotonic() + 60
        while next(iter(pending["Plain"]), None) is None and time.monotonic() < until:
            look(port, firing, pending)
        until = time.monotonic() + WATCHED
        while time.monotonic() < until:
            look(port, firing, pending)
    finally:
        process.terminate()
        process.wait()
        target.shutdown()
    return firing, {name: len(since) for name, since in pending.items()}


def look(port, firing, pending):
    time.sleep(0.3)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/alerts", timeout=10) as answer:
            alerts = json.load(answer)["data"]["alerts"]
    except OSError:
        return  # it is starting
    for alert in alerts:
        name = alert["labels"]["alertname"]
        if alert["state"] == "firing":
            firing.add(name)
        else:
            pending[name].add(alert["activeAt"])


gaps, stale = by_promtool("_"), by_promtool("stale")
fired, begun = by_prometheus()
print("promtool, gaps '_':     fires:", *sorted(gaps))
print("promtool, gaps 'stale': fires:", *sorted(stale))
print("Prometheus:             fires:", *sorted(fired), "| times that each began to be pending:", begun)
as_seen = (
    gaps == {"Plain", "LastOverTime"}
    and stale == fired == {"LastOverTime"}
    and begun["Plain"] >= 5
    and begun["LastOverTime"] == 1
)
sys.exit(0 if as_seen else "it is different now")
PYTHON
