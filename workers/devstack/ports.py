"""Which port a server of the stack listens on: the one that was asked for, or a free one."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from config.settings import InvalidSettings


class Ports:
    """The ports of one stack, claimed for as long as the `with` block runs."""

    def __init__(self) -> None:
        self._claims = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._claims.close()

    def choose(self, host: str, port: int, setting: str, *, asked: bool) -> int:
        """Return the port where it is free; else, unless that very one was asked for, another.

        Raises InvalidSettings, which names the setting.
        """
        if asked:
            if not _is_free(host, port):
                raise InvalidSettings(
                    f"{setting}={port}: another program listens there; choose another port"
                )
            return port
        return port if self._claim(host, port) else _any_free(host)

    def _claim(self, host: str, port: int) -> bool:
        """Take a port before its server listens there, unless it is in use.

        Two stacks that start at once would both find it free: the one that has the UDP port of
        the same number, for as long as it runs, has it.
        """
        claim = self._claims.enter_context(socket.socket(_family(host), socket.SOCK_DGRAM))
        try:
            claim.bind((host, port))
        except OSError:
            return False
        return _is_free(host, port)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _is_free(host: str, port: int) -> bool:
    with socket.socket(_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _any_free(host: str) -> int:
    with socket.socket(_family(host)) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
