"""Finds the addresses of a name, with an end to the waiting: the system's resolver has none."""

from __future__ import annotations

import errno
import os
import queue
import socket
import threading
from typing import Any

Found = tuple[Any, ...]  # as getaddrinfo returns it


def addresses_of(host: str, port: int, timeout: float) -> list[Found]:
    """Return the addresses for TCP, found within `timeout` seconds. Raises OSError, TimeoutError.

    What the system goes on asking for after that, a thread waits for that holds nothing up.
    """
    answer: queue.SimpleQueue[list[Found] | Exception] = queue.SimpleQueue()
    asking = threading.Thread(target=_ask, args=(host, port, answer), name="resolver", daemon=True)
    asking.start()
    try:
        found = answer.get(timeout=timeout)
    except queue.Empty:
        raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from None
    if isinstance(found, Exception):
        raise found
    return found


def _ask(host: str, port: int, answer: queue.SimpleQueue[list[Found] | Exception]) -> None:
    try:
        answer.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    except Exception as error:  # noqa: BLE001 - it is raised where it was asked for
        answer.put(error)
