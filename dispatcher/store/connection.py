"""The store's way to Redis: one account's keys and operations, by one clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dispatcher.store.errors import StoreUnavailable, TooFewReplicas, plain_errors
from dispatcher.store.library import PREFIX, library
from dispatcher.store.schema import DEFAULT_ACCOUNT, key_name

if TYPE_CHECKING:
    import redis
    from redis.client import Pipeline

Call = tuple[str, Mapping[str, Any]]
"""An operation and its arguments."""
REPLICATED_WITHIN = 1.0
"""Seconds that replicas have to take in what was written, when it must be on them."""


class Connection:
    """A Redis client, the namespace of the keys, the account, and the clock.

    `clock` returns ms since the epoch and is for tests; without it every operation obeys Redis'
    own clock, so that the clocks of producers and workers do not matter.
    """

    def __init__(
        self, client: redis.Redis, namespace: str, clock: Callable[[], float] | None
    ) -> None:
        self.redis = client
        self.root = f"{{{namespace}}}"
        self.account = DEFAULT_ACCOUNT
        self._clock = clock
        self._library = library
        self._checked = False

    def key(self, name: str, *parts: str) -> str:
        """Return the name of a key; schema.py lists them."""
        return key_name(self.root, self.account, name, *parts)

    def run(self, operation: str, *, replicas: int = 0, **arguments: Any) -> Any:
        """Run an operation of store/lua/ops, one atomic step.

        An argument that is None or False is left out; lists and dicts go as JSON. Raises
        StoreUnavailable, and StoreUnsuitable where the records are of another schema; and
        TooFewReplicas where what it wrote is not on so many replicas within a second.
        """
        if replicas:
            return self.run_all([(operation, arguments)], replicas=replicas)[0]
        from redis.exceptions import ResponseError  # noqa: PLC0415 - see redis_url

        command = self._command(operation, arguments)
        with plain_errors():
            try:
                return self.redis.execute_command(*command)
            except ResponseError as error:
                if not _is_missing(error):
                    raise
                self._load()
                return _there(self._execute([command]))[0]

    def run_all(self, calls: Sequence[Call], *, replicas: int = 0) -> list[Any]:
        """Run operations in one round trip, each an atomic step; raises the first error, and
        TooFewReplicas as `run` does.
        """
        commands = [self._command(operation, arguments) for operation, arguments in calls]
        commands += _wait(replicas)
        with plain_errors():
            answers = self._execute(commands)
            missing = [place for place, answer in enumerate(answers) if _is_missing(answer)]
            if missing:  # a function that is not there has done nothing
                missing += range(len(calls), len(commands))  # nor was there anything to wait for
                self._load()
                again = _there(self._execute([commands[place] for place in missing]))
                for place, answer in zip(missing, again, strict=True):
                    answers[place] = answer
            answers, found = answers[: len(calls)], answers[len(calls) :]
            _raised(answers)
        if replicas:
            _require_replicas(replicas, found[0], answers)
        return answers

    def check_schema(self) -> None:
        """Look once whether the records are of our schema, for those who read without operations.

        Raises StoreUnsuitable where they are not.
        """
        if not self._checked:
            self.run("check_schema")
            self._checked = True

    def drop_other_libraries(self) -> int:
        """Delete the libraries of other releases; return how many. Who still runs one of these
        loads it again, so that it does no harm.
        """
        ours = self._library().name.encode()
        with plain_errors():
            found: Any = self.redis.function_list(library=f"{PREFIX}*")
            others = [name for name in map(_library_name, found) if name != ours]
            for name in others:
                self.redis.function_delete(name.decode())
        return len(others)

    def now(self) -> float:
        """Return Redis' clock (or the injected one) in ms since the epoch."""
        if self._clock:
            return self._clock()
        with plain_errors():
            second, microsecond = self.redis.time()
        return float(second * 1000 + microsecond / 1000)

    def _command(self, operation: str, arguments: Mapping[str, Any]) -> list[Any]:
        clock = {"now": self._clock()} if self._clock else {}
        flat = _flat({**clock, **arguments})
        return ["FCALL", self._library().function(operation), 1, self.root, *flat]

    def _execute(self, commands: Sequence[list[Any]]) -> list[Any]:
        pipe = self.redis.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command)
        return list(pipe.execute(raise_on_error=False))

    def _load(self) -> None:
        """Load our library, after a restart, a failover or by a new release."""
        from redis.exceptions import ResponseError  # noqa: PLC0415 - see redis_url

        try:
            self.redis.function_load(self._library().text)
        except ResponseError as error:
            if "already exists" not in str(error):  # another process was sooner
                raise


def _wait(replicas: int) -> list[list[Any]]:
    """Return the command, if any, that waits for replicas to have what was written before it."""
    return [["WAIT", replicas, milliseconds(REPLICATED_WITHIN)]] if replicas else []


def _require_replicas(wanted: int, found: Any, answers: list[Any]) -> None:
    """Raise TooFewReplicas where WAIT found too few, or was refused: what was asked is done."""
    if isinstance(found, Exception):
        raise TooFewReplicas(wanted, 0, answers, f" (WAIT: {str(found)[:100]})")
    if found < wanted:
        raise TooFewReplicas(wanted, found, answers)


def _flat(arguments: Mapping[str, Any]) -> Iterator[Any]:
    """Yield names and values as an operation takes them."""
    for name, value in arguments.items():
        if value is not None and value is not False:
            yield name
            yield _text(value)


def _text(value: Any) -> Any:
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False)
    return int(value) if isinstance(value, bool) else value


def _library_name(described: list[Any]) -> bytes:
    name: bytes = described[described.index(b"library_name") + 1]
    return name


def _raised(answers: list[Any]) -> list[Any]:
    """Return the answers, or raise the first error among them."""
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


def _there(answers: list[Any]) -> list[Any]:
    """Return the answers of functions that were loaded just now, or raise the first error."""
    if any(map(_is_missing, answers)):
        raise StoreUnavailable(
            "the functions of this release are not in Redis, though they were loaded: does another"
            " program remove functions there, or have one of the same name?"
        )
    return _raised(answers)


def _is_missing(answer: object) -> bool:
    return isinstance(answer, Exception) and "Function not found" in str(answer)


class Repository:
    """What the repositories share. Their operations raise StoreUnavailable and may be repeated."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._key = connection.key
        self._run = connection.run
        self._now = connection.now

    @property
    def _redis(self) -> redis.Redis:
        self._connection.check_schema()
        return self._connection.redis

    def _pipeline(self, *, atomic: bool = False) -> Pipeline:
        return self._redis.pipeline(transaction=atomic)


def milliseconds(seconds: float) -> int:
    """Return a duration as the operations take it."""
    return round(seconds * 1000)
