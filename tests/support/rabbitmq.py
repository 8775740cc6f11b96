"""A real RabbitMQ node with ports and a folder of its own: with users, vhosts and TLS; restarted,
killed, in alarm. It is taken from the system's package and never from a node that runs already.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from support.polling import eventually
from support.ports import free_port
from support.redis_servers import HOST, Certificates

PACKAGE = "rabbitmq-server"
_SCRIPTS = Path("/usr/lib/rabbitmq/bin")
"""Debian's own scripts. Those on its PATH change the user, and read files of the system."""
_STARTS_WITHIN = 240.0  # seconds
_ENDS_WITHIN = 60.0
ALL = (".*", ".*", ".*")
"""The rights to configure, write and read whatever there is."""


def smallest_rights(namespace: str) -> tuple[str, str, str]:
    """Return the rights of docs/how-to/rabbitmq.md: to configure, write and read."""
    page = (Path(__file__).resolve().parents[2] / "docs/how-to/rabbitmq.md").read_text()
    found = re.search(r"set_permissions -p calls dispatcher '(.+)' '(.+)' '(.+)'", page)
    assert found, "docs/how-to/rabbitmq.md says no rights"
    configure, write, read = (each.replace("vd", namespace) for each in found.groups())
    return configure, write, read


@dataclass(frozen=True)
class Vhost:
    """A virtual host: the type that its queues have by default, and the rights of each user."""

    name: str
    queue_type: str = ""
    rights: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)


def missing() -> str:
    """Return why no node can be started here, or nothing."""
    if _script("rabbitmq-server") is None or shutil.which("erl") is None:
        return f"no RabbitMQ on this machine: install the package {PACKAGE}"
    return ""


def _script(name: str) -> str | None:
    own = _SCRIPTS / name
    return str(own) if own.exists() else shutil.which(name)


class RabbitNode:
    """One node inside a `with`. Users have their name as their password; `guest` may do all."""

    def __init__(
        self,
        folder: Path,
        vhosts: tuple[Vhost, ...] = (),
        *,
        users: tuple[str, ...] = (),
        tls: Certificates | None = None,
    ) -> None:
        self.folder, self.tls = folder, tls
        self.port, self.tls_port = free_port(), free_port()
        self._distribution, self._epmd_port = free_port(), free_port()
        self._vhosts = (Vhost("/"), *vhosts)
        self._users = ("guest", *users)
        self._name = f"t{secrets.token_hex(4)}@localhost"
        self._node: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._configure()
        epmd = ["epmd", "-address", HOST, "-port", str(self._epmd_port)]
        self._epmd = subprocess.Popen(epmd, stdin=subprocess.DEVNULL, env=self._environment())
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()

    @property
    def pids(self) -> list[int]:
        """The processes that were started here."""
        return [process.pid for process in (self._node, self._epmd) if process]

    def url(self, vhost: str = "/", user: str = "guest", *, tls: bool = False) -> str:
        """Return the broker's URL for a vhost; one with TLS does not name the authority."""
        scheme, port = ("amqps", self.tls_port) if tls else ("amqp", self.port)
        return f"{scheme}://{user}:{user}@{HOST}:{port}/{quote(vhost, safe='')}"

    def start(self) -> None:
        """Start it with the data that it left, and wait until it takes connections."""
        with (self.folder / "out").open("ab") as out:
            self._node = subprocess.Popen(
                [str(_script("rabbitmq-server"))],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        eventually(self._listens, "RabbitMQ takes connections", _STARTS_WITHIN, self.log)

    def stop(self) -> None:
        """Let it end in order (SIGTERM), with all that it started."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without a warning (SIGKILL)."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Let it end in order, and start it anew."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Let it hang: its connections stay open and say nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def ctl(self, *arguments: str) -> str:
        """Run `rabbitmqctl` on this node; return what it prints."""
        done = subprocess.run(
            [str(_script("rabbitmqctl")), "-q", "-n", self._name, *arguments],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def alarm(self, *, on: bool) -> None:
        """Raise or clear the memory alarm: while it is on, no publisher is read from."""
        self.ctl("set_vm_memory_high_watermark", "0.000001" if on else "0.9")

    def queues(self, vhost: str = "/") -> dict[str, dict[str, Any]]:
        """Return the queues of a vhost by their names: type, durable, messages, consumers."""
        columns = ("name", "type", "durable", "messages", "consumers", "arguments")
        told = self.ctl("list_queues", "-p", vhost, "--formatter=json", *columns)
        return {row["name"]: row for row in json.loads(told)}

    def log(self) -> str:
        """Return what the node has printed."""
        file = self.folder / "out"
        return file.read_text(errors="replace") if file.exists() else ""

    def _listens(self) -> bool:
        assert self._node is not None
        assert self._node.poll() is None, f"it ended:\n{self.log()}"
        return self._connects()

    def _connects(self) -> bool:
        with suppress(OSError), socket.create_connection((HOST, self.port), 1):
            return True
        return False

    def _signal(self, number: signal.Signals) -> None:
        if self._node is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._node.pid, number)

    def _end(self, number: signal.Signals) -> None:
        if self._node is None:
            return
        self._signal(number)
        self._signal(signal.SIGCONT)
        try:
            self._node.wait(_ENDS_WITHIN)
        finally:
            self._signal(signal.SIGKILL)  # what it started itself
            self._node.wait()
            self._node = None
        # The script has ended, which is not to say that what it started has.
        eventually(lambda: not self._connects(), "RabbitMQ is gone", _ENDS_WITHIN)

    def _environment(self) -> dict[str, str]:
        folder = self.folder
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),  # the cookie is made there
            "LC_ALL": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": HOST,
            "RABBITMQ_NODENAME": self._name,
            "RABBITMQ_NODE_IP_ADDRESS": HOST,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "logs"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        }

    def _configure(self) -> None:
        (self.folder / "plugins").write_text("[].\n")
        (self.folder / "definitions.json").write_text(json.dumps(self._definitions()))
        lines = [
            f"load_definitions = {self.folder / 'definitions.json'}",
            "disk_free_limit.absolute = 1MB",
            "vm_memory_high_watermark.relative = 0.9",
        ]
        if self.tls is not None:
            lines += [
                f"listeners.ssl.default = {HOST}:{self.tls_port}",
                f"ssl_options.cacertfile = {self.tls.authority}",
                f"ssl_options.certfile = {self.tls.certificate}",
                f"ssl_options.keyfile = {self.tls.key}",
                "ssl_options.verify = verify_peer",
                "ssl_options.fail_if_no_peer_cert = false",
            ]
        (self.folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")

    def _definitions(self) -> dict[str, Any]:
        return {
            "users": [_user(name) for name in self._users],
            "vhosts": [_vhost(each) for each in self._vhosts],
            "permissions": [
                dict(zip(("configure", "write", "read"), rights, strict=True))
                | {"user": user, "vhost": vhost.name}
                for vhost in self._vhosts
                for user, rights in {"guest": ALL, **vhost.rights}.items()
            ],
        }


def _user(name: str) -> dict[str, Any]:
    salt = secrets.token_bytes(4)
    hashed = base64.b64encode(salt + hashlib.sha256(salt + name.encode()).digest()).decode()
    return {
        "name": name,
        "password_hash": hashed,
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": "administrator" if name == "guest" else "",
    }


def _vhost(vhost: Vhost) -> dict[str, Any]:
    if not vhost.queue_type:
        return {"name": vhost.name}
    typed = {"default_queue_type": vhost.queue_type}
    return {"name": vhost.name, **typed, "metadata": {"description": "", "tags": [], **typed}}
