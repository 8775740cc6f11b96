"""Counts what a Redis server is asked, and what operations do inside it, as MONITOR tells."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from redis import Connection

_OPERATION = re.compile(r"vd_(\w+)_[0-9a-f]+")
_LINE = re.compile(rb'\+?[\d.]+ \[\d+ (\S+)\] "([^"]+)"(?: "([^"]*)")?')
_INSIDE = b"lua"
_END = b"the-count-ends-here"


@dataclass
class Commands:
    """Commands of clients, with the first argument of each, and commands inside of operations.

    That argument is a key or the name of an operation, and comes before what is inside of it.
    """

    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    inside: Counter[tuple[str, str]] = field(default_factory=Counter)
    _now: str = ""

    def note(self, line: bytes) -> None:
        """Count a line of MONITOR's."""
        found = _LINE.match(line)
        if found is None:
            return
        name = found[2].decode().lower()
        if found[1] == _INSIDE:
            self.inside[self._now, name] += 1
            return
        argument = (found[3] or b"").decode(errors="replace")
        operation = _OPERATION.fullmatch(argument)
        self._now = operation[1] if operation else argument
        self.asked[name, self._now] += 1

    def of(self, *names: str) -> int:
        """Return how often clients asked for these commands."""
        return sum(count for (name, _), count in self.asked.items() if name in names)

    def without(self, of_what: Collection[str]) -> Commands:
        """Return the rest, without those of these operations and keys."""
        return Commands(
            Counter({each: n for each, n in self.asked.items() if each[1] not in of_what}),
            Counter({each: n for each, n in self.inside.items() if each[0] not in of_what}),
        )

    def messages(self) -> int:
        """Return how many messages Celery put into queues, by Redis as the broker."""
        return self.of("lpush")


@contextmanager
def counted(redis_url: str) -> Iterator[Commands]:
    """Count what happens within the block; the result is whole at its end."""
    commands, watching = Commands(), _connect(redis_url)
    watching.send_command("MONITOR")
    watching.read_response()
    reader = threading.Thread(target=_read, args=(watching, commands))
    reader.start()
    try:
        yield commands
    finally:
        last = _connect(redis_url)
        last.send_command("ECHO", _END)  # what comes after it was asked after it
        last.read_response()
        reader.join()
        last.disconnect()
        watching.disconnect()


def _connect(redis_url: str) -> Connection:
    parts = urlsplit(redis_url)
    connection = Connection(
        host=parts.hostname or "",
        port=parts.port or 6379,
        password=parts.password,
        protocol=2,
        socket_timeout=None,
    )
    connection.connect()
    return connection


def _read(watching: Connection, commands: Commands) -> None:
    while _END not in (line := watching.read_response(disable_decoding=True)):
        commands.note(bytes(line))
