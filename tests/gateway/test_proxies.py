"""The gateway behind nginx, Caddy and HAProxy, with the files that we ship for them."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter

from dispatcher.model.api_key import Scope
from dispatcher.store import Store
from support.api_client import NDJSON, SAY, answered, as_line, client
from support.gateway_process import Gateway
from support.polling import eventually
from support.ports import free_port
from support.proxies import FILES, Proxy, buffering, program
from workers.devstack.embedded_server import EmbeddedServer
from workers.gateway.server import KEEP_ALIVE

MANY = 40_000
"""Lines: more of them, and of answers, than all sockets on the way hold."""
WRONG = "vd_abcdefghij_" + "0" * 64
SECRET = "/callbacks/kt3ljmcozfwnu2a/1/1790000000/a-mac-that-nobody-may-see"
NAMES = ["nginx", "caddy", "haproxy"]
OTHER = "127.0.0.2"
"""Another client's address: all of 127/8 is this machine's own."""


@pytest.fixture(scope="module")
def behind(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that believes the proxies of 127.0.0.1."""
    folder = tmp_path_factory.mktemp("behind")
    settings = {
        "DISPATCHER_TRUSTED_PROXIES": "127.0.0.1",
        "DISPATCHER_SECURITY_LOG": str(folder / "security.log"),
    }
    with Gateway(folder, server.url, **settings) as running:
        yield running


@pytest.fixture(scope="module", params=NAMES)
def proxy(
    request: pytest.FixtureRequest, behind: Gateway, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    if program(request.param) is None:
        pytest.skip(f"no {request.param} on this machine: .ci/proxies installs it")
    folder = tmp_path_factory.mktemp(request.param)
    with Proxy(request.param, folder, behind.port) as running:
        yield running


class From(HTTPAdapter):
    """Connects from an address of this machine."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: int, **options: object) -> None:
        self.poolmanager = urllib3.PoolManager(source_address=(self._address, 0))


def ask(proxy: Proxy, path: str, address: str = OTHER, **headers: str) -> requests.Response:
    with requests.Session() as session:
        session.mount("https://", From(address))
        return session.get(
            proxy.url + path, headers=headers, verify=str(proxy.tls.authority), timeout=30
        )


@pytest.mark.parametrize(
    ("file", "option"),
    [
        ("nginx.conf", "keepalive_timeout"),
        ("Caddyfile", "keepalive"),
        ("haproxy.cfg", "timeout http-keep-alive"),
    ],
)
def test_a_proxy_lets_go_of_an_idle_connection_before_the_gateway_does(
    file: str, option: str
) -> None:
    found = re.findall(rf"^\s*{option} (\d+)s", (FILES / file).read_text(), re.MULTILINE)
    assert [int(each) < KEEP_ALIVE for each in found] == [True]


def send_bulk(
    proxy: Proxy, gateway: Gateway, store: Store, *, chunked: bool, many: int = MANY
) -> None:
    """Send many lines, of which one is good: all are answered."""
    key = client(gateway, store, "billing", Scope.ENQUEUE).text
    body = as_line({**SAY, "key": "a"}) + (b"x" * 200 + b"\n") * (many - 1)
    answer = requests.post(
        f"{proxy.url}/v1/jobs/bulk",
        data=iter([body]) if chunked else body,
        headers={"Authorization": f"Bearer {key}", **NDJSON},
        verify=str(proxy.tls.authority),
        timeout=180,
    )
    found, summary = answered(answer.content)
    assert [each["line"] for each in found] == list(range(1, many + 1))
    assert summary == {
        "lines": many,
        "accepted": 1,
        "new": 1,
        "refused": many - 1,
        "complete": True,
    }


def test_all_lines_come_through_and_all_answers_come_back(
    proxy: Proxy, behind: Gateway, store: Store
) -> None:
    send_bulk(proxy, behind, store, chunked=True, many=100_000 if proxy.name == "nginx" else MANY)


@pytest.mark.skipif(program("nginx") is None, reason="no nginx on this machine")
@pytest.mark.parametrize("buffered", [False, True], ids=["as shipped", "as it is at first"])
def test_nginx_passes_on_a_body_of_announced_length_whether_it_buffers_or_not(
    behind: Gateway, store: Store, tmp_path: Path, *, buffered: bool
) -> None:
    change = buffering if buffered else str
    with Proxy("nginx", tmp_path, behind.port, change) as proxy:
        send_bulk(proxy, behind, store, chunked=False)


def test_the_gateway_knows_the_client_by_its_address_whatever_it_claims(
    proxy: Proxy, behind: Gateway
) -> None:
    log = Path(behind.environment["DISPATCHER_SECURITY_LOG"])
    before = len(log.read_text().splitlines()) if log.exists() else 0
    claims = {"X-Forwarded-For": "203.0.113.9", "Authorization": f"Bearer {WRONG}"}
    assert ask(proxy, "/v1/jobs", **claims).status_code == 401
    (line,) = [json.loads(each) for each in log.read_text().splitlines()[before:]]
    assert (line["event"], line["address"]) == ("request.refused", OTHER)


def test_who_comes_by_no_proxy_is_not_believed(behind: Gateway) -> None:
    log = Path(behind.environment["DISPATCHER_SECURITY_LOG"])
    before = len(log.read_text().splitlines()) if log.exists() else 0
    with requests.Session() as session:
        session.mount("http://", From("127.0.0.3"))
        claims = {"X-Forwarded-For": "203.0.113.9", "Authorization": f"Bearer {WRONG}"}
        assert session.get(f"{behind.url}/v1/jobs", headers=claims).status_code == 401
    (line,) = [json.loads(each) for each in log.read_text().splitlines()[before:]]
    assert line["address"] == "127.0.0.3"


def test_callbacks_reach_the_gateway_and_no_log(proxy: Proxy) -> None:
    answer = ask(proxy, SECRET)
    assert answer.headers["Content-Type"] == "application/problem+json"  # the gateway's own
    assert ask(proxy, "/v1/nothing-of-ours").status_code == 404
    if proxy.name != "caddy":  # which logs no requests
        eventually(lambda: "nothing-of-ours" in proxy.logged(), "the other request is logged")
    assert "nobody-may-see" not in proxy.logged()


@pytest.mark.parametrize("name", NAMES)
def test_no_log_has_a_secret_path_while_the_gateway_is_away(name: str, tmp_path: Path) -> None:
    if program(name) is None:
        pytest.skip(f"no {name} on this machine: .ci/proxies installs it")
    with Proxy(name, tmp_path, free_port()) as proxy:
        assert ask(proxy, SECRET).status_code in {502, 503}
        assert ask(proxy, "/v1/jobs").status_code in {502, 503}
        eventually(proxy.logged, "something is logged")
        assert "nobody-may-see" not in proxy.logged()


def test_the_console_is_for_those_inside_and_its_cookies_are_for_https(proxy: Proxy) -> None:
    """Inside are loopback addresses as well: so we are."""
    page = ask(proxy, "/console/login")
    assert page.status_code == 200
    assert "Secure" in page.headers["Set-Cookie"]
    assert ask(proxy, "/healthz").json() == {"status": "ok"}
    assert ask(proxy, "/").status_code == ask(proxy, "/consoles").status_code == 404


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("path", ["/console", "/metrics", "/docs", "/readyz"])
def test_others_are_told_nothing_of_what_is_inside(
    name: str, path: str, behind: Gateway, outside: dict[str, Proxy]
) -> None:
    if name not in outside:
        pytest.skip(f"no {name} on this machine")
    answer = ask(outside[name], path)
    assert answer.status_code == 404
    assert answer.headers.get("Content-Type") != "application/problem+json"  # not the gateway's


@pytest.fixture(scope="module")
def outside(
    behind: Gateway, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Proxy]]:
    """The proxies where this machine's addresses are not among those inside."""
    with ExitStack() as exits:
        yield {
            name: exits.enter_context(
                Proxy(name, tmp_path_factory.mktemp(name), behind.port, _elsewhere)
            )
            for name in NAMES
            if program(name)
        }


def _elsewhere(text: str) -> str:
    assert "127.0.0.0/8" in text
    return text.replace("127.0.0.0/8", "192.0.2.0/24")


class Streaming(BaseHTTPRequestHandler):
    """Sends an event, and the next one when the first has been heard."""

    heard = threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"data: 1\n\n")
        self.wfile.flush()
        if self.heard.wait(20):
            self.wfile.write(b"data: 2\n\n")

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("name", NAMES)
def test_news_reach_an_open_page_as_they_come(name: str, tmp_path: Path) -> None:
    """Server-sent events are not kept back until there are enough of them."""
    if program(name) is None:
        pytest.skip(f"no {name} on this machine: .ci/proxies installs it")
    Streaming.heard.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Streaming) as upstream:
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        with Proxy(name, tmp_path, upstream.server_address[1]) as proxy, _wire(proxy) as wire:
            wire.sendall(b"GET /console/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            _read_until(wire, b"data: 1")
            Streaming.heard.set()
            _read_until(wire, b"data: 2")
        upstream.shutdown()


def _wire(proxy: Proxy) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(proxy.tls.authority))
    plain = socket.create_connection(("127.0.0.1", proxy.port), timeout=15)
    return context.wrap_socket(plain, server_hostname="127.0.0.1")


def _read_until(wire: ssl.SSLSocket, words: bytes) -> None:
    read = b""
    while words not in read:
        more = wire.recv(4096)
        assert more, read
        read += more
