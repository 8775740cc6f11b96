#!/usr/bin/env bash
# redis-py 8.1.0: with a health check, a limit of N retries means (N+1)² connections.
#
# `retry=Retry(NoBackoff(), 2)` reads as three tries. A connection pool with `health_check_interval`
# set makes nine connections to a server that accepts and then says nothing (a frozen one, one behind
# a firewall that drops, something else on the port): while it connects, redis-py sends the greeting,
# which is a command, before which the health check is due, and that has three tries of its own
# for each of the three. With a socket timeout of 5 seconds the caller waits 45 seconds, not 15.
# Without `health_check_interval` there are three connections.
#
# Seen: 9 connections with the health check, 3 without.
#
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check redis==8.1.0

"$folder/venv/bin/python" - <<'PYTHON'
import socketserver
import sys
import threading

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

made = []


class Silent(socketserver.BaseRequestHandler):
    def handle(self):
        made.append(1)
        while self.request.recv(1000):
            pass


def connections(**options):
    made.clear()
    client = redis.Redis.from_url(
        f"redis://127.0.0.1:{server.server_address[1]}/0",
        socket_timeout=0.2,
        retry=Retry(NoBackoff(), 2),
        **options,
    )
    try:
        client.ping()
    except redis.TimeoutError:
        return len(made)
    sys.exit("somebody answered")


with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Silent) as server:
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    found = connections(health_check_interval=30), connections()
    server.shutdown()
print(f"connections with a health check: {found[0]}, without: {found[1]}")
sys.exit(found != (9, 3))
PYTHON
