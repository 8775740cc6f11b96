"""Tells systemd of a service: that it is ready, that it is well, that it ends (sd_notify(3))."""

from __future__ import annotations

import socket
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Self


class Notifier:
    """Sends to the socket of a service manager; to nobody where there is none."""

    def __init__(self, address: str = "") -> None:
        self.wanted = bool(address)
        self._address = f"\0{address[1:]}" if address.startswith("@") else address

    @classmethod
    def taken_from(cls, environ: MutableMapping[str, str]) -> Self:
        """Return that of this process: taken out, since only the one that systemd started tells."""
        for name in ("WATCHDOG_USEC", "WATCHDOG_PID"):
            environ.pop(name, None)
        return cls(environ.pop("NOTIFY_SOCKET", ""))

    def tell(self, *, ready: bool, trouble: str) -> None:
        """Say how the service is. Where it is in trouble, systemd's watchdog is left to run out."""
        words = [f"STATUS={trouble}"]
        if ready:
            words.append("READY=1")
        if not trouble:
            words.append("WATCHDOG=1")
        self._send(words)

    def stopping(self) -> None:
        """Say that the service ends as it was asked to."""
        self._send(["STOPPING=1"])

    def _send(self, words: list[str]) -> None:
        if not self.wanted:
            return
        # A manager that does not listen is no reason to end what it manages.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
            wire.settimeout(1)
            wire.sendto("\n".join(words).encode(), self._address)
