"""A cable between a client and a server on loopback, which can be cut and mended."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self

HOST = "127.0.0.1"
_PIECE = 65536  # bytes


class Cable:
    """Forwards TCP connections to a port, inside a `with`.

    `cut` drops what is under way and refuses what is new, `mute` lets both stand and passes
    nothing on; `mend` ends either.
    """

    def __init__(self, to: int) -> None:
        self._to = to
        self._open = threading.Event()
        self._open.set()
        self._refusing = False
        self._lock = threading.Lock()
        self._ends: set[socket.socket] = set()
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone wakes nobody who accepts, and would give the port's number away.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._open.set()
        self._drop()

    def cut(self) -> None:
        """Drop all connections, and each new one at once."""
        self._refusing = True
        self._drop()

    def mute(self) -> None:
        """Pass nothing on, in either direction; nobody is told."""
        self._open.clear()

    def mend(self) -> None:
        """Let connections through again; what a mute held back goes on."""
        self._refusing = False
        self._open.set()

    def _drop(self) -> None:
        with self._lock:
            for end in self._ends:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self._refusing:
                    raise ConnectionError
                far = socket.create_connection((HOST, self._to))
                for end in (near, far):  # a cable does not gather what goes through it
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:
                near.close()
                continue
            with self._lock:
                self._ends |= {near, far}
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                self._open.wait()
                target.sendall(piece)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._ends -= {source, target}
        source.close()
