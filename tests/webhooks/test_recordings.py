"""`doctor --recording`: what is wrong with a recording, over real HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network

import pytest

from support.ports import free_port
from workers.recordings import examine
from workers.webhooks.addresses import Addresses

HERE = Addresses((ip_network("127.0.0.0/8"),), setting="")
FRAME = b"\xff\xfb\x90\x00" + bytes(413)  # 26 ms
MP3 = FRAME * 383  # 10 s
PAGES = {
    "/good.mp3": MP3,
    "/empty.mp3": b"",
    "/page.mp3": b"<html>please log in</html>",
    "/wave.mp3": b"RIFF0000WAVE",
    "/long.mp3": FRAME * 12_000,
    "/huge.mp3": FRAME * 51_000,
    "/torn.mp3": MP3 + b"x" * 60_000,
}
LEADS_ON = {
    "/there.mp3": "/good.mp3",
    "/secure.mp3": "https://example.com/a.mp3",
    "/inside.mp3": "http://10.0.0.1/a.mp3",
    "/round.mp3": "/round.mp3",
    "/nasty.mp3": "http://example.com/\x1b[31m.mp3",
}


class Host(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path in LEADS_ON:
            self._head(302, Location=LEADS_ON[self.path])
        elif self.path == "/cut.mp3":
            self._head(200, **{"Content-Length": "9999", "Content-Type": "audio/mpeg"})
            self.wfile.write(MP3[:100])
        elif self.path in PAGES:
            kind = "text/html" if self.path == "/page.mp3" else "audio/mpeg"
            body = PAGES[self.path]
            self._head(200, **{"Content-Length": str(len(body)), "Content-Type": kind})
            self.wfile.write(body)
        else:
            self._head(403 if self.path == "/private.mp3" else 404)

    def _head(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_good_recording_is_told_with_size_and_length(host: str) -> None:
    assert list(examine(f"{host}/good.mp3", HERE)) == [
        ("ok", "anybody can fetch it over http"),
        ("ok", "it is an MP3 of 0.2 MB that plays for 10 s"),
    ]


@pytest.mark.parametrize(
    ("path", "level", "says"),
    [
        ("/empty.mp3", "fail", "not an MP3 (empty)"),
        ("/page.mp3", "warn", "its Content-Type is 'text/html'"),
        ("/page.mp3", "fail", "not an MP3 (a web page)"),
        ("/wave.mp3", "fail", "not an MP3 (a WAV file)"),
        ("/long.mp3", "warn", "plays for 5 min: nobody listens for so long"),
        ("/huge.mp3", "fail", "more than 20 MB"),
        ("/torn.mp3", "warn", "its last 60,000 bytes are no MP3 frames"),
        ("/private.mp3", "fail", "it answered 403: the provider needs a public address"),
        ("/gone.mp3", "fail", "it answered 404"),
        ("/cut.mp3", "fail", "cut off after 100 of 9,999 bytes"),
        ("/there.mp3", "warn", "it redirects to http://127.0.0.1"),
        ("/there.mp3", "ok", "plays for 10 s"),
        ("/secure.mp3", "fail", "it redirects: 'https://example.com/a.mp3' cannot be played"),
        ("/inside.mp3", "fail", "10.0.0.1, which is not a public address"),
        ("/round.mp3", "fail", "redirects more than 3 times"),
        ("/nasty.mp3", "fail", "'http://example.com/\\x1b[31m.mp3' cannot be played"),
    ],
)
def test_what_is_wrong_is_said(host: str, path: str, level: str, says: str) -> None:
    found = list(examine(host + path, HERE))
    assert any(each == level and says in words for each, words in found), found


def test_nothing_inside_is_fetched_and_no_setting_is_named() -> None:
    port = free_port()
    for name in (f"127.0.0.1:{port}", f"localhost:{port}", "169.254.169.254"):
        [(level, says)] = examine(f"http://{name}/a.mp3")
        assert level == "fail"
        assert "not a public address: the provider needs" in says


def test_nobody_there_is_said() -> None:
    [(level, says)] = examine(f"http://127.0.0.1:{free_port()}/a.mp3", HERE)
    assert (level, "cannot be reached" in says) == ("fail", True)


@pytest.mark.parametrize("url", ["https://example.com/a.mp3", "http://a:b@example.com/a.mp3", "x"])
def test_what_the_provider_could_not_play_is_not_fetched(url: str) -> None:
    [(level, says)] = examine(url)
    assert (level, "a:b" in says) == ("fail", False)
