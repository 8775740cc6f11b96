"""What a gateway needs before it can serve: a port, files to open, a certificate."""

from __future__ import annotations

import os
import resource
import socket
import ssl
import sys
from typing import Final

from config.settings import InvalidSettings, Settings

BACKLOG: Final = 2048
OWN_FILES: Final = 256
"""Files beside the connections: Redis, the broker, answers that wait on the disk."""
LISTENING: Final = "listening on"


def listen(settings: Settings) -> socket.socket:
    """Return the socket, once all else is there. Raises InvalidSettings."""
    _make_room(settings.most_connections)
    _require_certificate(settings)
    return _bound(settings.gateway_host, settings.gateway_port)


def say_listening(url: str) -> None:
    """Say it in a line that does not depend on the log's level."""
    sys.stdout.write(f"{LISTENING} {url}\n")
    sys.stdout.flush()


def _make_room(connections: int) -> None:
    """Have as many files opened as connections need. Raises InvalidSettings where it may not be."""
    needed = connections + OWN_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise InvalidSettings(
            f"DISPATCHER_GATEWAY_CONNECTIONS, …_REQUESTS and …_CALLBACKS: {connections}"
            f" connections need {needed} open files, and this process may have {hard}: lower"
            " them, or raise the limit (`ulimit -Hn`)"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _require_certificate(settings: Settings) -> None:
    """Raise InvalidSettings where there is to be one, and it is no good."""
    if settings.gateway_tls_cert is None:
        return
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings.gateway_tls_cert, settings.gateway_tls_key)
    except (OSError, ssl.SSLError) as error:
        raise InvalidSettings(
            "DISPATCHER_GATEWAY_TLS_CERT and DISPATCHER_GATEWAY_TLS_KEY cannot be used"
            f" ({error.strerror or error}): they name a PEM file with the certificate and its"
            " chain, and one with its key"
        ) from None


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        known = error.errno and not isinstance(error, socket.gaierror)
        why = os.strerror(error.errno or 0) if known else error.strerror  # the bare words
        raise InvalidSettings(
            f"DISPATCHER_GATEWAY_PORT={port}: cannot listen on {host}:{port} ({why});"
            " choose another port"
        ) from None
