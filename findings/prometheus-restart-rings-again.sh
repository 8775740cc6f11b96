#!/usr/bin/env bash
# Prometheus 2.42.0 with Alertmanager 0.25.0 (both Debian 12): a restart of Prometheus ends an alert that goes on,
# and makes it a new incident some minutes later.
#
# Prometheus is said to keep the state of `for` over a restart, in the series ALERTS_FOR_STATE. It does so
# only for rules whose `for` is at least 10 minutes (--rules.alert.for-grace-period). Any other begins anew as
# pending, though it was firing. Meanwhile nothing is sent of it, and Alertmanager takes what it has not
# heard of for 4 minutes (four times the larger of interval and --rules.alert.resend-delay) as over. So
# with the usual `for: 5m` each restart, even one that lasts a second, tells "resolved" while it burns, stops
# whoever was being called, and rings all of them again 5 minutes after the restart, with a new
# beginning. A `for` of up to 2 minutes is in time, and one of 10 or more is restored: it is those in between.
# One that was pending has to wait for its `for` from the start, and tells that much later.
# With --rules.alert.for-grace-period=1m all rules from 1 minute on go through a restart unharmed.
#
# Seen, with a resend delay of 3 s (12 s take the place of the 4 minutes): `for: 20s` is told as firing,
# resolved 12 s after it was last sent, and as firing with a new beginning; `for: 4s` as firing, once; with
# a grace period of 1 s both as firing, once.
#
# Needs Prometheus and Alertmanager on the PATH; says so and exits 0 where one is missing.
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
alertmanager=$(command -v prometheus-alertmanager || command -v alertmanager || true)
if [ -z "$alertmanager" ] || ! command -v prometheus >/dev/null; then
    echo 'not tried: Prometheus or Alertmanager is missing (Debian: prometheus, prometheus-alertmanager)'
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 - "$folder" "$alertmanager" <<'PYTHON'
import json
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

folder, alertmanager = Path(sys.argv[1]), sys.argv[2]
SHORT, LONG = 4, 20  # seconds of `for`; 12 s without word are an end


class Receiver(BaseHTTPRequestHandler):
    told = {}  # path: [(name, firing or resolved, beginning)]

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for alert in body["alerts"]:
            line = (alert["labels"]["alertname"], alert["status"], alert["startsAt"])
            print(self.path[1:], *line, flush=True)
            self.told.setdefault(self.path[1:], []).append(line)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=receiver.serve_forever, daemon=True).start()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(home, argv):
    with open(home / "log", "ab") as log:
        return subprocess.Popen(argv, cwd=home, stdout=log, stderr=log)


def stop(process):
    process.terminate()
    process.wait()


def firing(name):
    return [each for each, status, _ in Receiver.told.get(name, ()) if status == "firing"]


def pair(stack, name, *flags):
    """Start an Alertmanager and a Prometheus whose two rules fire; return what starts that Prometheus."""
    home, port, mine = folder / name, free_port(), free_port()
    home.mkdir()
    (home / "alertmanager.yml").write_text(f"""
route: {{receiver: all, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}}
receivers:
  - name: all
    webhook_configs: [{{url: "http://127.0.0.1:{receiver.server_port}/{name}"}}]
""")
    (home / "rules.yml").write_text(f"""
groups:
  - name: rules
    rules:
      - {{alert: Short, expr: vector(1), for: {SHORT}s}}
      - {{alert: Long, expr: vector(1), for: {LONG}s}}
""")
    (home / "prometheus.yml").write_text(f"""
global: {{evaluation_interval: 1s}}
rule_files: [rules.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}]}}
""")
    argv = [alertmanager, "--config.file=alertmanager.yml", "--storage.path=alerts", "--cluster.listen-address="]
    stack.callback(stop, start(home, [*argv, f"--web.listen-address=127.0.0.1:{port}"]))
    argv = ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=series"]
    options = [f"--web.listen-address=127.0.0.1:{mine}", "--rules.alert.resend-delay=3s", *flags]
    return lambda: start(home, [*argv, *options])


with ExitStack() as stack:
    starts = {
        "usual": pair(stack, "usual"),
        "grace-period-1s": pair(stack, "grace-period-1s", "--rules.alert.for-grace-period=1s"),
    }
    running = {name: begin() for name, begin in starts.items()}
    try:
        end = time.monotonic() + 90
        while not all({"Short", "Long"} <= set(firing(name)) for name in starts):
            if time.monotonic() > end:
                sys.exit("the rules did not fire")
            time.sleep(0.2)
        time.sleep(5)
        print("each Prometheus is started again", flush=True)
        for name, process in running.items():
            stop(process)
            running[name] = starts[name]()
        time.sleep(LONG + 15)
    finally:
        for process in running.values():
            stop(process)

seen = {name: [(each, status) for each, status, _ in sorted(lines, key=lambda line: line[0] == "Long")]
        for name, lines in Receiver.told.items()}
beginnings = {began for each, status, began in Receiver.told["usual"] if (each, status) == ("Long", "firing")}
print("beginnings of the one that went on all the time:", len(beginnings))
once = [("Short", "firing"), ("Long", "firing")]
expected = {"usual": [*once, ("Long", "resolved"), ("Long", "firing")], "grace-period-1s": once}
sys.exit(0 if seen == expected and len(beginnings) == 2 else "it is different now")
PYTHON
