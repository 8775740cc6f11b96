#!/usr/bin/env bash
# requests 2.34.2 with urllib3 2.8.0 on Linux: a POST that failed with ReadTimeout is delivered later.
#
# The network goes away while a connection is kept open, as in any pool of connections. The client
# sends, waits for its read timeout, raises, and closes the connection. It is told that it failed, and
# may try again elsewhere. But the request lies in the kernel, which goes on sending it for a closed
# connection, and for a process that was killed, too: after 0.2, 0.6, 1.4, 3, 6 and 13 s, and so on for
# 100 s or so (net.ipv4.tcp_orphan_retries, whose 0 stands for 8). When the network comes back, the server gets
# the whole request, and does what it asks for, however long ago the client gave it up. So a request
# that must not be done twice cannot be repeated after any wait that is shorter than that.
# TCP_USER_TIMEOUT on the socket, with the read timeout's length, makes the kernel drop it in time.
#
# Seen: timed out after 2 s, network back after 8 s, the POST arrived 12 to 14 s after it was sent; with
# TCP_USER_TIMEOUT it never did.
#
# Needs root, for network namespaces of its own (`ip`); says so and exits 0 where it may not have them.
# Exits 0 while that is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
name="finding-$$"
end() {
    for each in "$name-a" "$name-b" "$name"; do ip netns del "$each" 2>/dev/null || true; done
    rm -rf "$folder"
}
trap end EXIT
if ! ip netns add "$name" 2>/dev/null; then
    echo 'not tried: network namespaces need root and the command ip'
    exit 0
fi
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check requests==2.34.2 urllib3==2.8.0

ip -n "$name" link add switch type bridge
ip -n "$name" link set switch up
for number in 1 2; do
    side=$([ "$number" = 1 ] && echo a || echo b)
    ip netns add "$name-$side"
    ip -n "$name" link add "port-$side" type veth peer name eth0 netns "$name-$side"
    ip -n "$name-$side" address add "10.78.0.$number/24" dev eth0
    ip -n "$name-$side" link set eth0 up
    ip -n "$name" link set "port-$side" up master switch
done

cat >"$folder/server.py" <<'PYTHON'
import sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with open(sys.argv[1], "a") as book:
            book.write(f"{body} {time.time()}\n")
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


ThreadingHTTPServer(("10.78.0.2", 8000), Handler).serve_forever()
PYTHON
ip netns exec "$name-b" python3 "$folder/server.py" "$folder/book" 2>/dev/null &
server=$!

cat >"$folder/client.py" <<'PYTHON'
import socket, subprocess, sys, time
import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

switch, book = sys.argv[1:]
URL = "http://10.78.0.2:8000/"


class Dropping(HTTPAdapter):
    def init_poolmanager(self, *args, **kwargs):
        option = (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 2000)
        super().init_poolmanager(*args, socket_options=[*HTTPConnection.default_socket_options, option], **kwargs)


def port(*words):
    subprocess.run(["ip", "-n", switch, "link", "set", "port-b", *words], check=True)


def arrival(name, adapter):
    """Return after how many seconds a POST that timed out came to the server; None: it did not."""
    session = requests.Session()
    session.mount("http://", adapter)
    for _ in range(100):
        try:
            session.post(URL, data="hello", timeout=(2, 2))
            break
        except requests.ConnectionError:
            time.sleep(0.1)
    port("nomaster")
    sent = time.time()
    try:
        session.post(URL, data=name, timeout=(2, 2))
    except (requests.ReadTimeout, requests.ConnectionError) as error:
        print(f"{name}: {type(error).__name__} after {time.time() - sent:.1f} s")
    session.close()
    time.sleep(max(0, sent + 8 - time.time()))
    port("master", "switch")
    time.sleep(max(0, sent + 20 - time.time()))
    came = [float(line.split()[1]) - sent for line in open(book) if line.split()[0] == name]
    print(f"{name}: arrived after {came[0]:.1f} s" if came else f"{name}: never arrived")
    return came[0] if came else None


usual, dropped = arrival("usual", HTTPAdapter()), arrival("with-TCP_USER_TIMEOUT", Dropping())
sys.exit(0 if usual is not None and usual > 8 and dropped is None else 1)
PYTHON
code=0
ip netns exec "$name-a" "$folder/venv/bin/python" "$folder/client.py" "$name" "$folder/book" || code=$?
kill "$server"
exit "$code"
