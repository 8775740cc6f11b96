"""Bringing a store up to date in place: taken, brought over in steps, checked, given back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from dispatcher.errors import DispatcherError
from dispatcher.store.connection import Connection
from dispatcher.store.errors import plain_errors
from dispatcher.store.migrate.indexes import pages, sizes
from dispatcher.store.migrate.second_schema import stands
from dispatcher.store.migrate.steps import STEPS
from dispatcher.store.migrate.writer import Writer, require_ours
from dispatcher.store.redis_url import connect
from dispatcher.store.schema import DEFAULT_ACCOUNT, FIRST_SCHEMA_KEYS, SCHEMA, Field, key_name
from dispatcher.store.server import check_version

PAGE = 500


class NotWhole(DispatcherError):
    """The records that were brought over are not those that there were."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is to do: `schema` is the one found (None: the store is empty), `jobs` counts
    those by state, `goes_on` says that a migration was broken off.
    """

    schema: int | None
    jobs: dict[str, int]
    goes_on: bool

    @property
    def needed(self) -> bool:
        """Whether there is anything to do."""
        return self.goes_on or self.schema not in {None, SCHEMA}


@dataclass(frozen=True, slots=True)
class Done:
    """What was brought over: jobs by state, and how many keys and entries of streams in all.

    `without_record` jobs stand in an index only: their records were deleted by hand before.
    """

    jobs: dict[str, int]
    moved: int
    without_record: int


class Migration:
    """The migration of one store.

    Raises AtWork where the store is in use, NotWhole, StoreUnavailable, StoreUnsuitable.
    """

    def __init__(self, connection: Connection) -> None:
        self._redis, self._root = connection.redis, connection.root
        self._connection = connection
        self._writer = Writer(connection)

    @classmethod
    def from_url(cls, url: str, *, namespace: str) -> Migration:
        """Return the migration of the store on the Redis at `url` (see redis_url.connect)."""
        return cls(Connection(connect(url), namespace, None))

    def plan(self) -> Plan:
        """Say what there is to do; nothing is written."""
        check_version(self._redis)
        schema = require_ours(self._redis, self._root)
        old = self._old_sizes()
        leftover = self._leftover()
        goes_on = schema is not None and not schema.isdigit()
        jobs = old + sizes(self._writer)
        found = 1 if leftover or goes_on else None if schema is None else int(schema)
        return Plan(found, _by_state(jobs), goes_on)

    def run(self, tell: Callable[[str, int], object] = lambda _step, _many: None) -> Done:
        """Do it, or go on with it. `tell` hears after each batch the step's name and how many
        keys or entries were in it.
        """
        self._writer.begin()
        before = self._remember(self._old_sizes() + sizes(self._writer))
        moved = 0
        for step in STEPS:
            for commands, many in step(self._writer):
                self._writer.write(commands)
                moved += many
                tell(step.__name__, many)
        after = sizes(self._writer)
        if after != before:
            raise NotWhole(f"{_by_state(before)} jobs by state before are {_by_state(after)} now")
        missing = self._check()
        self._writer.write([("DEL", self._writer.old("migration", "jobs"))])
        self._writer.end()
        return Done(_by_state(after), moved, missing)

    def tidy(self) -> int:
        """Delete the Lua libraries of releases before this one; return how many."""
        return self._connection.drop_other_libraries()

    # -- below -----------------------------------------------------------------------------

    def _leftover(self) -> bool:
        names = [f"{self._root}:{name}" for name in FIRST_SCHEMA_KEYS if name != "gates"]
        with plain_errors():
            return bool(self._redis.exists(*names)) or any(self._old_jobs())

    def _old_jobs(self) -> Iterator[bytes]:
        return iter(self._redis.scan_iter(match=f"{self._root}:job:*", count=PAGE))

    def _remember(self, counted: Counter[str]) -> Counter[str]:
        """Return how many jobs there were when the migration began first."""
        name = self._writer.old("migration", "jobs")
        self._writer.write([("SET", name, json.dumps(counted), "NX")])
        with plain_errors():
            found: Any = self._redis.get(name)
        return Counter(json.loads(found))

    def _old_sizes(self) -> Counter[str]:
        """Return how many jobs stand in the indexes by state of older versions, as `sizes` does."""
        found = self._old_sizes_of("idx")
        return found + self._old_sizes_of("by_state") if stands(self._writer) else found

    def _old_sizes_of(self, index: str) -> Counter[str]:
        prefix = f"{self._root}:{index}:"
        with plain_errors():
            names = sorted(set(self._redis.scan_iter(match=f"{prefix}*", count=PAGE)))
            pipe = self._redis.pipeline(transaction=False)
            for name in names:
                pipe.zcard(name)
            found: list[int] = pipe.execute()
        kinds = [name.decode().removeprefix(prefix) for name in names]
        return Counter(dict(zip(kinds, found, strict=True)))

    def _check(self) -> int:
        """Return how many jobs have no record. Raises NotWhole where one is another's."""
        missing = 0
        for kind, page in pages(self._writer, "by_state"):
            with plain_errors():
                ids: Any = self._redis.zrange(page, 0, -1)
            missing += sum(self._stands(id_, row, kind) for id_, row in self._rows(ids))
        return missing

    def _rows(self, ids: list[bytes]) -> Iterator[tuple[bytes, list[bytes | None]]]:
        pipe = self._redis.pipeline(transaction=False)
        with plain_errors():
            for id_ in ids:
                name = key_name(self._root, DEFAULT_ACCOUNT, "job", id_.decode())
                pipe.hmget(name, Field.STATE, Field.REASON)
            return zip(ids, pipe.execute(), strict=True)

    def _stands(self, id_: bytes, row: list[bytes | None], kind: str) -> bool:
        """Return whether a record is missing. Raises NotWhole where it stands elsewhere."""
        if row[0] is None:
            return True
        found = b":".join(part for part in row if part).decode()
        if found != kind:
            raise NotWhole(f"job {id_.decode()} is {found}, and the index has it as {kind}")
        return False


def _by_state(counted: Counter[str]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for kind, many in counted.items():
        found[kind.partition(":")[0]] += many
    return {state: many for state, many in sorted(found.items()) if many}
