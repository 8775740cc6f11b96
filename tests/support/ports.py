"""Ports of the loopback device."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Return a port that nobody listens on, and that nobody else is given for a minute.

    A connection that this side closed keeps it from other processes that ask for any free port
    (TIME_WAIT), but not from a server that asks for this one, since servers set SO_REUSEADDR.
    """
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()),
    ):
        listener.accept()[0].close()
        port: int = listener.getsockname()[1]
    return port
