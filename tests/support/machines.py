"""Several machines in one: network namespaces on a switch of their own, for what only networks do.

A host has a network device and a loopback of its own, and shares nothing of the network with this
machine. Its processes are reached from here by what is no network: a Unix socket, `run`.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from support.polling import eventually

_SWITCH = "switch"
_OWNER = re.compile("vdtest-([0-9]+)-")
_GET = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=30).read().decode())"


def why_not() -> str:
    """Return why there can be no such hosts here; '' where there can."""
    if not shutil.which("ip"):
        return "there is no command `ip` (Debian: iproute2)"
    name = _fresh("try")
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"network namespaces need root and CAP_NET_ADMIN: {made.stderr.strip()}"
    inside = ["ip", "netns", "exec", name, "ip", "link", "add", _SWITCH, "type", "bridge"]
    bridged = subprocess.run(inside, capture_output=True, text=True, check=False)
    _ip("netns", "del", name)
    return f"no bridge can be made: {bridged.stderr.strip()}" if bridged.returncode else ""


class Host:
    """One machine: an address, and processes that end with it."""

    def __init__(self, network: str, name: str, number: int) -> None:
        self.name, self.address = name, f"10.77.0.{number}"
        self._network, self._space = network, f"{network}-{name}"

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Be there, and be plugged in, within the block."""
        _ip("netns", "add", self._space)
        try:
            far = ("peer", "name", "eth0", "netns", self._space)
            _ip("-n", self._network, "link", "add", self.name, "type", "veth", *far)
            _ip("-n", self._space, "address", "add", f"{self.address}/24", "dev", "eth0")
            _ip("-n", self._space, "link", "set", "lo", "up")
            self.up()
            _ip("-n", self._network, "link", "set", self.name, "up")
            self.plug()
            yield
        finally:
            _ip("netns", "del", self._space)

    @contextmanager
    def running(
        self, argv: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Give a process that runs on this host within the block; what it says is in `log`."""
        with log.open("ab") as out:
            process = subprocess.Popen(
                [*self._inside, *argv],
                cwd=log.parent,
                env=env and dict(env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def run(self, *argv: str) -> str:
        """Return what a command says that runs on this host to its end."""
        return subprocess.run(
            [*self._inside, *argv], capture_output=True, text=True, check=True, timeout=180
        ).stdout

    def get(self, url: str) -> str:
        """Return what a URL answers to this host."""
        return self.run(sys.executable, "-I", "-c", _GET, url)

    def unplug(self) -> None:
        """Take its cable out of the switch: packets are lost, and neither side is told."""
        _ip("-n", self._network, "link", "set", self.name, "nomaster")

    def plug(self) -> None:
        """Put the cable in again."""
        _ip("-n", self._network, "link", "set", self.name, "master", _SWITCH)

    def down(self) -> None:
        """Turn its own network device off: what it tries to send fails at once."""
        _ip("-n", self._space, "link", "set", "eth0", "down")

    def up(self) -> None:
        """Turn the device on."""
        _ip("-n", self._space, "link", "set", "eth0", "up")

    @property
    def _inside(self) -> list[str]:
        return ["ip", "netns", "exec", self._space]


@contextmanager
def machines(*names: str) -> Iterator[dict[str, Host]]:
    """Give hosts of these names that reach each other and nothing else; all is removed after."""
    _remove_abandoned()
    network = _fresh("net")
    with ExitStack() as undo:
        _ip("netns", "add", network)
        undo.callback(_ip, "netns", "del", network)
        _ip("-n", network, "link", "add", _SWITCH, "type", "bridge")
        _ip("-n", network, "link", "set", _SWITCH, "up")
        hosts = {name: Host(network, name, number) for number, name in enumerate(names, 1)}
        for host in hosts.values():
            undo.enter_context(host.attached())
        _until_reachable(hosts)
        yield hosts


def _remove_abandoned() -> None:
    """Remove what a run of tests left that was killed: its process is in the names."""
    names = [line.split()[0] for line in _ip("netns", "list").stdout.splitlines()]
    for name in names:
        owner = _OWNER.match(name)
        if owner and not Path(f"/proc/{owner[1]}").exists():
            for process in _ip("netns", "pids", name).stdout.split():
                os.kill(int(process), signal.SIGKILL)
            _ip("netns", "del", name)


def _until_reachable(hosts: Mapping[str, Host]) -> None:
    """Wait for the switch to carry packets: a new port is not up at once."""
    for host in hosts.values():
        eventually(lambda host=host: "LOWER_UP" in host.run("ip", "link", "show", "eth0"))  # type: ignore[misc]


def _fresh(kind: str) -> str:
    return f"vdtest-{os.getpid()}-{kind}-{secrets.token_hex(3)}"


def _ip(*words: str) -> Any:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
