"""Commands that go to Redis as they are made: it works on the first while the next are thought of.

A pipeline of redis-py is sent when all of it is there, so that Redis and the process wait for each
other in turn.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import redis


def stream(client: redis.Redis, commands: Iterable[list[Any]]) -> list[Any]:
    """Send commands as they come on one connection; return what each answered, or its error.

    A lost connection is made anew as often as for a pipeline: then all that had come is sent again.
    Raises redis-py's ConnectionError and TimeoutError, and whatever the commands do, which ends
    the connection: of what was sent nobody knows whether it was done.
    """
    coming = iter(commands)
    first = next(coming, None)
    if first is None:
        return []
    pool: Any = client.connection_pool
    sent: list[list[Any]] = []
    coming = chain([first], coming)
    connection = pool.get_connection()

    def ask() -> list[Any]:
        for command in sent:
            connection.send_command(*command)
        for command in coming:
            sent.append(command)
            connection.send_command(*command)
        return [_answer(client, connection, command[0]) for command in sent]

    try:
        return list(connection.retry.call_with_retry(ask, lambda _: connection.disconnect()))
    except BaseException:
        connection.disconnect()
        raise
    finally:
        pool.release(connection)


def _answer(client: redis.Redis, connection: Any, name: str) -> Any:
    from redis.exceptions import ResponseError  # noqa: PLC0415 - see redis_url

    try:
        return client.parse_response(connection, name)
    except ResponseError as error:
        return error
