"""Real proxies with the files that we ship for them, each with a port and a folder of its own."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from support.polling import eventually
from support.ports import free_port
from support.redis_servers import Certificates
from support.started import Started

FILES = Path(__file__).resolve().parents[2] / "deploy" / "proxies"
_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin"))
_AROUND_NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/errors;
events {{ }}
http {{
    access_log {folder}/access;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {site}
}}
"""


def program(name: str) -> str | None:
    """Return where a proxy is on this machine."""
    return shutil.which(name, path=_PATH)


def replaced(text: str, changes: Mapping[str, str]) -> str:
    """Return a text with all of these changed; each must be there."""
    for old, new in changes.items():
        assert old in text, f"{old!r} is not in the file"
        text = text.replace(old, new)
    return text


class Proxy(Started):
    """Stands before a server at `upstream`, a port of this machine, in a `with` block.

    `change` may change what the file that we ship says.
    """

    def __init__(
        self, name: str, folder: Path, upstream: int, change: Callable[[str], str] = lambda t: t
    ) -> None:
        self.name, self.folder, self.port = name, folder, free_port()
        self.tls = Certificates(folder / "tls")
        self._argv = _MADE[name](self, upstream, change)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def start(self) -> None:
        path = program(self.name)
        assert path
        with (self.folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [path, *self._argv],
                env={"PATH": _PATH, "HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_until_up(self) -> None:
        eventually(self._listens, f"{self.name} listens", more=self.logged)

    def logged(self) -> str:
        """Return all that it wrote: output, access log, errors."""
        files = [self.folder / name for name in ("output", "access", "errors")]
        return "".join(file.read_text() for file in files if file.exists())

    def _listens(self) -> bool:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False


def _nginx(proxy: Proxy, upstream: int, change: Callable[[str], str]) -> list[str]:
    changes = {
        "listen 443 ssl;": f"listen 127.0.0.1:{proxy.port} ssl;",
        "/etc/ssl/voice.pem": str(proxy.tls.certificate),
        "/etc/ssl/voice.key": str(proxy.tls.key),
        "127.0.0.1:8080": f"127.0.0.1:{upstream}",
    }
    site = change(replaced((FILES / "nginx.conf").read_text(), changes))
    file = proxy.folder / "nginx.conf"
    file.write_text(_AROUND_NGINX.format(folder=proxy.folder, site=site))
    return ["-c", str(file), "-e", str(proxy.folder / "errors")]


def _caddy(proxy: Proxy, upstream: int, change: Callable[[str], str]) -> list[str]:
    tls = f"tls {proxy.tls.certificate} {proxy.tls.key}"
    changes = {
        "voice.example.com {": f"https://127.0.0.1:{proxy.port} {{\n\t{tls}\n\tbind 127.0.0.1",
        "127.0.0.1:8080": f"127.0.0.1:{upstream}",
        "\tlog default {": "\tadmin off\n\tauto_https disable_redirects\n\tlog default {",
    }
    file = proxy.folder / "Caddyfile"
    file.write_text(change(replaced((FILES / "Caddyfile").read_text(), changes)))
    return ["run", "--config", str(file), "--adapter", "caddyfile"]


def _haproxy(proxy: Proxy, upstream: int, change: Callable[[str], str]) -> list[str]:
    both = proxy.folder / "both.pem"
    both.write_text(proxy.tls.certificate.read_text() + proxy.tls.key.read_text())
    changes = {
        "bind :443 ssl crt /etc/ssl/voice.pem": f"bind 127.0.0.1:{proxy.port} ssl crt {both}",
        "127.0.0.1:8080": f"127.0.0.1:{upstream}",
    }
    file = proxy.folder / "haproxy.cfg"
    file.write_text(change(replaced((FILES / "haproxy.cfg").read_text(), changes)))
    return ["-db", "-f", str(file)]


_MADE: dict[str, Callable[[Proxy, int, Callable[[str], str]], list[str]]] = {
    "nginx": _nginx,
    "caddy": _caddy,
    "haproxy": _haproxy,
}


def buffering(text: str) -> str:
    """Return nginx's file without what keeps it from buffering: as it is unless told."""
    changed, many = re.subn(r"^ *proxy_(request_)?buffering off;.*\n", "", text, flags=re.MULTILINE)
    assert many == 3
    return changed
