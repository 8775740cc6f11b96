"""The one who migrates: takes the store, and writes batch after batch, each in one step."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import redis
from redis.commands.core import Script

from dispatcher.errors import DispatcherError
from dispatcher.store.connection import Connection
from dispatcher.store.errors import StoreUnsuitable, plain_errors
from dispatcher.store.schema import BARRIER, DEFAULT_ACCOUNT, MIGRATING, SCHEMA, key_name, mismatch

BATCH = 200
"""Keys of one step: some milliseconds of Redis' time."""
LEASE = 30_000
"""ms after which another process may go on, where the one that migrates has died."""
_SIGNS: Mapping[str, tuple[str, int]] = {
    "connections": ("a request to the provider is under way", 0),
    "next:dialing": ("a worker dials", 0),
    "hooks:out": ("webhooks are sent", 0),
    "reports": ("callbacks are applied", 0),
    "acts:open": ("a bulk action runs", 0),
    "fed": ("jobs are dispatched", 2000),
    "callbacks": ("callbacks are applied", 0),
    "webhooks:out": ("webhooks are sent", 0),
    "bulk_actions:running": ("a bulk action runs", 0),
    "account:default:dispatched": ("jobs are dispatched", 2000),
    "account:default:connections": ("a request to the provider is under way", 0),
    "account:default:due:dialing": ("a worker dials", 0),
}
"""Keys whose scores are moments to come only while somebody is at work, and the ms for which one
that has passed is still a sign."""

Command = tuple[str | bytes | float, ...]
Batches = Iterator[tuple[list[Command], int]]
"""Commands to be done in one step, and of how many keys or entries they are."""


class AtWork(DispatcherError):
    """Processes of the dispatcher use the store, or another migration does."""


class Writer:
    """Writes to the store while it migrates. Raises AtWork, StoreUnavailable."""

    def __init__(self, connection: Connection) -> None:
        self.redis, self.root, self._now = connection.redis, connection.root, connection.now
        self._token = secrets.token_hex(8)

    def name(self, name: str, *parts: str) -> str:
        """Return the name of a key as it is now."""
        return key_name(self.root, DEFAULT_ACCOUNT, name, *parts)

    def old(self, *parts: str) -> str:
        """Return the name of a key as an older version had it."""
        return ":".join((self.root, *parts))

    def found(self, pattern: str) -> Iterator[str]:
        """Yield the names of keys, after the namespace, that follow a pattern; each comes once at
        least.
        """
        with plain_errors():
            for name in self.redis.scan_iter(match=self.old(pattern), count=1000):
                yield name.decode("utf-8", "surrogateescape").removeprefix(f"{self.root}:")

    def begin(self) -> None:
        """Take the store: from here on nobody else works on it, nor can.

        Raises StoreUnsuitable where its schema is a newer one.
        """
        self._require_silence()
        signs = [text for key, (_, slack) in _SIGNS.items() for text in (key, slack)]
        arguments = [self._token, LEASE, MIGRATING, BARRIER, SCHEMA, self._now(), *signs]
        with plain_errors():
            answer, *more = self._script("begin")([self.root], arguments)
        if answer == b"busy":
            raise _taken(int(more[0]))
        if answer == b"other":
            raise StoreUnsuitable(mismatch(more[0].decode()))
        if answer == b"work":
            raise _at_work(_SIGNS[more[0].decode()][0], int(more[1]))

    def write(self, commands: Iterable[Command]) -> None:
        """Do some commands in one step."""
        flat: list[Any] = [text for some in commands for text in (len(some), *some)]
        if not flat:
            return
        with plain_errors():
            arguments = [self._token, LEASE, *flat]
            done = self._script("apply")([self.old("migration")], arguments)
        if not done:
            raise AtWork("another migration has taken over: leave it to that one")

    def end(self) -> None:
        """Give the store back, up to date."""
        self.write(
            [
                ("SET", self.old(BARRIER), f"schema {SCHEMA}"),
                ("SET", self.name("schema"), SCHEMA),
                ("DEL", self.old("migration")),
            ]
        )

    def _script(self, name: str) -> Script:
        return self.redis.register_script(_source(name))

    def _require_silence(self) -> None:
        """Raise AtWork where a sender of webhooks listens, which runs wherever workers do."""
        with plain_errors():
            found: Any = self.redis.pubsub_numsub(self.old("hooks"), self.name("webhook_news"))
        if any(many for _, many in found):
            raise _at_work("a webhook sender listens")


def raw(name: str) -> bytes:
    """Return the bytes of a name that was read from Redis."""
    return name.encode("utf-8", "surrogateescape")


def require_ours(client: redis.Redis, root: str) -> str | None:
    """Return what stands as the schema. Raises StoreUnsuitable where it is a newer one."""
    with plain_errors():
        found: Any = client.get(key_name(root, DEFAULT_ACCOUNT, "schema"))
    schema = found.decode() if found else None
    if schema not in {None, MIGRATING} and (not schema.isdecimal() or int(schema) > SCHEMA):
        raise StoreUnsuitable(mismatch(schema))
    return schema


def _taken(left: int) -> AtWork:
    return AtWork(
        "another migration is at work: let it finish; if it was killed, run this again in"
        f" {max(1, -(-left // 1000))} s"
    )


def _at_work(what: str, until: int | None = None) -> AtWork:
    moment = None if until is None else datetime.fromtimestamp(until / 1000, UTC)
    wait = f"; if they were killed, run this again after {moment:%H:%M:%S} UTC" if moment else ""
    return AtWork(
        f"processes of the dispatcher are at work ({what}): stop workers, beat, gateway and"
        f" producers, then run this again{wait}"
    )


@cache
def _source(name: str) -> str:
    return (files("dispatcher.store.migrate") / f"{name}.lua").read_text(encoding="utf-8")
