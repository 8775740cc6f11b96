#!/usr/bin/env bash
# redis-py 8.1.0: whether a client tries again depends on how it was made.
#
# `redis.Redis(host=…, port=…)` tries a refused connection ten more times with growing pauses, three to
# five seconds in all; `redis.Redis.from_url(…)` for the same place fails at once, since it makes the
# pool itself and the default of `Redis` never reaches it. So a service that moves from a host and a
# port to a URL loses its patience without a word; and the clients that `Sentinel` makes for the
# sentinels have it, so that a first sentinel that is down costs seconds, while the client of the
# master that it returns has none.
#
# Seen: Redis(...) 4.5 s, from_url 0.0 s, Sentinel.discover_master with a dead sentinel 3.1 s,
# retry of master_for's connections: none.
#
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check redis==8.1.0

"$folder/venv/bin/python" - <<'PYTHON'
import socket
import sys
import time

import redis
from redis.sentinel import MasterNotFoundError, Sentinel

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]


def seconds(step):
    began = time.monotonic()
    try:
        step()
    except (redis.ConnectionError, MasterNotFoundError):
        return time.monotonic() - began
    sys.exit("somebody listens there")


sentinel = Sentinel([("127.0.0.1", port)])
took = {
    "Redis(...)": seconds(redis.Redis(host="127.0.0.1", port=port).ping),
    "from_url": seconds(redis.Redis.from_url(f"redis://127.0.0.1:{port}/0").ping),
    "discover_master": seconds(lambda: sentinel.discover_master("any")),
}
of_master = sentinel.master_for("any").connection_pool.connection_kwargs.get("retry")
for name, time_taken in took.items():
    print(f"{name}: {time_taken:.1f} s")
print("retry of master_for:", of_master)
as_seen = took["Redis(...)"] > 1 and took["from_url"] < 0.5 and took["discover_master"] > 1 and of_master is None
sys.exit(0 if as_seen else "it is different now")
PYTHON
