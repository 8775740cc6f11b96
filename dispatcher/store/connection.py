"""The store's way to Redis: one account's keys and operations, by one clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from dispatcher.errors import DispatcherError
from dispatcher.store import replica_wait
from dispatcher.store.answers import flat, is_missing, put, raised, there
from dispatcher.store.errors import (
    NotAllowed,
    StoreUnavailable,
    TooFewReplicas,
    in_our_words,
    plain_errors,
)
from dispatcher.store.library import PREFIX, library
from dispatcher.store.reckoning import Reckoning
from dispatcher.store.rights import TRANSACTION, Rights
from dispatcher.store.schema import DEFAULT_ACCOUNT, key_name
from dispatcher.store.streaming import stream
from dispatcher.values.steady_clock import since_boot

if TYPE_CHECKING:
    import redis
    from redis.client import Pipeline

Call = tuple[str, Mapping[str, Any]]
"""An operation and its arguments."""
_OF_REPLICAS = {"READONLY", "MASTERDOWN"}
"""What a server refuses because it is a replica."""


class Connection:
    """A Redis client, the namespace of the keys, the account, and the clock.

    `clock` returns ms since the epoch and is for tests; without it every operation obeys Redis'
    own clock, so that the clocks of producers and workers do not matter. `steady` returns seconds
    of a clock that nobody sets, by which a jump of Redis' clock shows.
    """

    def __init__(
        self,
        client: redis.Redis,
        namespace: str,
        clock: Callable[[], float] | None,
        steady: Callable[[], float] | None = None,
    ) -> None:
        self.redis = client
        self.root = f"{{{namespace}}}"
        self.account = DEFAULT_ACCOUNT
        self._clock = clock
        self.reckoning = Reckoning(steady if clock else steady or since_boot)
        self._library = library
        self.rights = Rights(self._run, library)

    def key(self, name: str, *parts: str) -> str:
        """Return the name of a key; schema.py lists them."""
        return key_name(self.root, self.account, name, *parts)

    def run(self, operation: str, *, replicas: int = 0, **arguments: Any) -> Any:
        """Run an operation of store/lua/ops, one atomic step.

        An argument that is None or False is left out; lists and dicts go as JSON. Raises
        StoreUnavailable, and StoreUnsuitable where the records are of another schema or a right
        is missing; and TooFewReplicas where what it wrote is not on so many replicas within a
        second.
        """
        if replicas:
            return self.run_all([(operation, arguments)], replicas=replicas)[0]
        self.rights.require(self.rights.of([operation]))
        return self._run(operation, arguments)

    def run_all(self, calls: Sequence[Call], *, replicas: int = 0) -> list[Any]:
        """Run operations in one round trip, each an atomic step; raises the first error, and
        TooFewReplicas as `run` does.
        """
        try:
            return raised(self.answers(calls, replicas=replicas))
        except TooFewReplicas as error:
            raised(error.answers)
            raise

    def answers(self, calls: Sequence[Call], *, replicas: int = 0) -> list[Any]:
        """Run operations in one round trip; return what each answered, or its error in our words.

        One that Redis refuses has changed nothing. Raises StoreUnavailable where the server did
        not answer: then some may have been done; and TooFewReplicas as `run` does.
        """
        self.rights.require(self.rights.of(operation for operation, _ in calls))
        commands = [self._command(operation, arguments) for operation, arguments in calls]
        commands += replica_wait.commands(replicas)
        return self._answered(commands, partial(self._execute, commands), replicas)

    def stream(self, calls: Iterable[Call], *, replicas: int = 0) -> list[Any]:
        """Run operations that are sent as they come: Redis works on the first while the next are
        made. Returns and raises as `answers` does.
        """
        commands: list[list[Any]] = []

        def coming() -> Iterator[list[Any]]:
            for operation, arguments in calls:
                self.rights.require(self.rights.of([operation]))
                commands.append(self._command(operation, arguments))
                yield commands[-1]
            waiting = replica_wait.commands(replicas) if commands else []
            commands.extend(waiting)
            yield from waiting

        return self._answered(commands, partial(stream, self.redis, coming()), replicas)

    def _answered(
        self, commands: Sequence[list[Any]], ask: Callable[[], list[Any]], replicas: int
    ) -> list[Any]:
        """Return what `ask` is told of the commands, of which the last waits for the replicas, if
        there is to be any.
        """
        with self._asking():
            answers = ask()
            many = len(commands) - bool(commands and replicas)
            missing = [place for place, answer in enumerate(answers) if is_missing(answer)]
            if missing:  # a function that is not there has done nothing
                missing += range(many, len(commands))  # nor was there anything to wait for
                self._load()
                again = there(self._execute([commands[place] for place in missing]))
                answers = put(answers, dict(zip(missing, again, strict=True)))
        told = [self._told(answer) for answer in answers]
        answers, found = told[:many], told[many:]
        if found:
            replica_wait.require(replicas, found[0], answers)
        return answers

    def drop_other_libraries(self) -> int:
        """Delete the libraries of other releases; return how many. Who still runs one of these
        loads it again, so that it does no harm.
        """
        ours = self._library().name.encode()
        with plain_errors(keys=self.root):
            found: Any = self.redis.function_list(library=f"{PREFIX}*")
            others = [name for name in map(_library_name, found) if name != ours]
            for name in others:
                self.redis.function_delete(name.decode())
        return len(others)

    def close(self) -> None:
        """Close all connections, to sentinels as well; what is asked later opens new ones."""
        pool: Any = self.redis.connection_pool
        sentinels = getattr(pool, "sentinel_manager", None)
        for client in (self.redis, *(sentinels.sentinels if sentinels else ())):
            client.connection_pool.disconnect()

    def now(self) -> float:
        """Return Redis' clock (or the injected one) in ms since the epoch."""
        if self._clock:
            return self._clock()
        with plain_errors(keys=self.root):
            second, microsecond = self.redis.time()
        return float(second * 1000 + microsecond / 1000)

    def _run(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        from redis.exceptions import ResponseError  # noqa: PLC0415 - see redis_url

        command = self._command(operation, arguments)
        with self._asking():
            try:
                return self.redis.execute_command(*command)
            except ResponseError as error:
                if not is_missing(error):
                    raise
                self._load()
                return raised(there(self._execute([command])))[0]

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Turn errors into ours, and heed them."""
        try:
            with plain_errors(keys=self.root):
                yield
        except DispatcherError as error:
            self._heed(error)
            raise

    def _heed(self, error: DispatcherError) -> None:
        """Leave a server that is a replica: by the next try, the name in the URL may belong to the
        master. Look at our rights anew, where one was taken away.
        """
        if isinstance(error, NotAllowed):
            self.rights.forget()
        elif isinstance(error, StoreUnavailable) and error.code in _OF_REPLICAS:
            self.redis.connection_pool.disconnect(inuse_connections=False)

    def _told(self, answer: Any) -> Any:
        """Return an answer, and an error as our words for it."""
        if not isinstance(answer, Exception):
            return answer
        told = in_our_words(answer, keys=self.root)
        if told is None:
            return answer
        self._heed(told)
        return told

    def _command(self, operation: str, arguments: Mapping[str, Any]) -> list[Any]:
        clock = {"now": self._clock()} if self._clock else {}
        named = flat({**clock, **arguments})
        return ["FCALL", self._library().function(operation), 1, self.root, *named]

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


def _library_name(described: list[Any]) -> bytes:
    name: bytes = described[described.index(b"library_name") + 1]
    return name


class Repository:
    """What the repositories share. Their operations raise StoreUnavailable and may be repeated."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._key = connection.key
        self._run = connection.run
        self._now = connection.now

    @property
    def _redis(self) -> redis.Redis:
        self._connection.rights.require()
        return self._connection.redis

    def _pipeline(self, *, atomic: bool = False) -> Pipeline:
        if atomic:
            self._connection.rights.require(TRANSACTION)
        return self._redis.pipeline(transaction=atomic)

    def _read_together(self, *reads: tuple[str, ...]) -> list[Any]:
        """Read from several keys in one step; each is a command and its arguments.

        Hashes come as lists of names and values in turn.
        """
        found: list[Any] = self._run("read_together", reads=list(reads))
        return found


def pairs(flat: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return a hash from its names and values in turn."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def milliseconds(seconds: float) -> int:
    """Return a duration as the operations take it."""
    return round(seconds * 1000)
