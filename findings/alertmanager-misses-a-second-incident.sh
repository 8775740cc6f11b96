#!/usr/bin/env bash
# Alertmanager 0.25.0 (Debian 12), and by its source still 0.34.0: an alert that fires again is told to nobody
# until repeat_interval, where its end was not told.
#
# Alertmanager remembers what it last told of a group, and tells no more while the alerts that fire now
# are among those. It does not remember when each began. So an end that is not told is not noticed, and
# the next incident of the same rule looks like the last one going on. An end is not told
#   - while the alert is silenced, which is what people do who are woken and work on it (muted times
#     of a route are no different),
#   - while it is inhibited by another one,
#   - with `send_resolved: false`, where others of its group still fire.
# With the usual repeat_interval of 4 hours, or the day that many set against noise, the second
# incident wakes nobody for as long. It is firing on Alertmanager's own page all the time, unsilenced.
# Whoever wakes people by Alertmanager: send_resolved, and a repeat_interval of minutes to a receiver
# that knows repeats by `startsAt`.
#
# Seen, each with a beginning of its own the second time: without a silence the end and the second
# incident are told within a second; after a silence, an inhibition and in a group neither is, for 10 s
# (ten times group_interval).
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
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

folder, program = Path(sys.argv[1]), sys.argv[2]
told = []  # (receiver, name, instance, firing or resolved, beginning)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for alert in body["alerts"]:
            labels = alert["labels"]
            told.append((self.path[1:], labels["alertname"], labels["instance"], alert["status"], alert["startsAt"]))
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
hook = f"http://127.0.0.1:{receiver.server_port}"
(folder / "config.yml").write_text(f"""
route:
  receiver: all
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 4h
  routes:
    - {{receiver: all, continue: true}}
    - {{receiver: beginnings}}
receivers:
  - name: all
    webhook_configs: [{{url: "{hook}/all", send_resolved: true}}]
  - name: beginnings
    webhook_configs: [{{url: "{hook}/beginnings", send_resolved: false}}]
inhibit_rules:
  - {{source_matchers: ['alertname="DataCentreDown"'], target_matchers: ['alertname="Inhibited"']}}
""")


def ask(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers, method=method)
    return urllib.request.urlopen(request, timeout=10).read()


def until(condition, what, within=60):
    end = time.monotonic() + within
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


def report(name, instance="a", *, began, over=False):
    ends = now() if over else now(hours=1)
    labels = {"alertname": name, "instance": instance}
    ask("POST", "/api/v2/alerts", [{"labels": labels, "startsAt": began, "endsAt": ends}])


def known(name):
    return [alert for alert in json.loads(ask("GET", "/api/v2/alerts")) if alert["labels"]["alertname"] == name]


def has(receiver, name, status, beginnings=1):
    """Whether it was told of an alert of instance a with this status, and of so many beginnings."""
    found = {began for at, each, instance, was, began in told if (at, each, instance, was) == (receiver, name, "a", status)}
    return len(found) >= beginnings


options = [f"--config.file={folder}/config.yml", f"--storage.path={folder}/data", "--cluster.listen-address="]
with open(folder / "log", "wb") as log:
    server = subprocess.Popen([program, *options, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
try:
    until(ready, "Alertmanager is ready")
    first = now()
    for name in ("Plain", "Silenced", "Inhibited", "Grouped"):
        report(name, began=first)
    report("Grouped", "b", began=first)
    for name in ("Plain", "Silenced", "Inhibited", "Grouped"):
        until(lambda: has("beginnings", name, "firing") and has("all", name, "firing"), f"{name} is told")
    until(lambda: any(each[:3] == ("beginnings", "Grouped", "b") for each in told), "the whole group is told")

    matcher = {"name": "alertname", "value": "Silenced", "isRegex": False, "isEqual": True}
    silence = {"matchers": [matcher], "startsAt": now(), "endsAt": now(hours=1), "createdBy": "ann", "comment": "on it"}
    silence_id = json.loads(ask("POST", "/api/v2/silences", silence))["silenceID"]
    report("DataCentreDown", began=first)
    until(lambda: has("all", "DataCentreDown", "firing"), "what inhibits is told")
    for name in ("Plain", "Silenced", "Inhibited", "Grouped"):
        report(name, began=first, over=True)
    until(lambda: has("all", "Plain", "resolved") and has("all", "Grouped", "resolved"), "the end is told")
    until(lambda: not known("Silenced") and not known("Inhibited"), "the others are over as well")
    time.sleep(3)  # three more looks at each group

    ask("DELETE", f"/api/v2/silence/{silence_id}")
    report("DataCentreDown", began=first, over=True)
    until(lambda: has("all", "DataCentreDown", "resolved"), "nothing inhibits any more")
    second = now()
    for name in ("Plain", "Silenced", "Inhibited", "Grouped"):
        report(name, began=second)
    until(lambda: has("all", "Plain", "firing", 2), "the second incident is told")
    time.sleep(10)
    shown = {name: known(name)[0]["status"]["state"] for name in ("Silenced", "Inhibited", "Grouped")}
finally:
    server.kill()
    server.wait()

again = {
    "Plain": has("all", "Plain", "firing", 2),
    "Silenced": has("all", "Silenced", "firing", 2),
    "Inhibited": has("all", "Inhibited", "firing", 2),
    "Grouped": has("all", "Grouped", "firing", 2),
    "Grouped, send_resolved: false": has("beginnings", "Grouped", "firing", 2),
}
for name, was in again.items():
    print(f"{name}: the second incident was {'told' if was else 'told to nobody'}")
print("what Alertmanager shows of them:", shown)
expected = dict(zip(again, (True, False, False, True, False), strict=True))
sys.exit(0 if again == expected and set(shown.values()) == {"active"} else "it is different now")
PYTHON
