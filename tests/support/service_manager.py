"""What stands in for systemd: a socket, and what was said to it (sd_notify(3))."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


class ServiceManager:
    """Listens at an address; `@name` is one without a file."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._wire.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._wire.settimeout(0)
        self.said: list[list[str]] = []

    def heard(self) -> list[list[str]]:
        """Return what was said since the last time, each message as its lines."""
        found = []
        while True:
            try:
                found.append(self._wire.recv(4096).decode().splitlines())
            except BlockingIOError:
                self.said += found
                return found

    def has_heard(self, line: str) -> bool:
        """Return whether this was said so far."""
        self.heard()
        return any(line in message for message in self.said)

    def close(self) -> None:
        self._wire.close()


@contextmanager
def listening() -> Iterator[ServiceManager]:
    """Have one listen in a folder with a short path, as sockets need."""
    with tempfile.TemporaryDirectory(prefix="vd") as folder:
        manager = ServiceManager(f"{folder}/notify")
        yield manager
        manager.close()
