"""What a Redis would let its user do, asked without doing it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dispatcher.store.errors import plain_errors

if TYPE_CHECKING:
    import redis

Wish = tuple[str, ...]
"""A command with its arguments; the first of these is the key or the channel, if it has one."""
_WITHOUT_KEY = ("SCRIPT EXISTS", "SCRIPT LOAD")
_OF_CHANNELS = ("PUBLISH", "PSUBSCRIBE", "SUBSCRIBE")


def not_allowed(
    client: redis.Redis, wishes: Iterable[Wish], where: str = "the broker's Redis"
) -> list[str]:
    """Return what its user lacks for these commands, as rules of an ACL: `+lpush ~vd.urgent`.

    Redis looks at rights when a command is put into a transaction; this one is dropped. `client`
    must not try again: what comes after a lost connection would not be in a transaction.
    Raises StoreUnavailable, StoreUnsuitable.
    """
    from redis.exceptions import NoPermissionError  # noqa: PLC0415 - see redis_url

    with plain_errors(where), client.client() as one:
        try:
            one.execute_command("MULTI")
        except NoPermissionError:
            return ["+multi"]
        try:
            return [_rule(wish) for wish in wishes if _refused(one, wish)]
        finally:
            client.connection_pool.disconnect()  # which drops the transaction


def _refused(client: redis.Redis, wish: Sequence[str]) -> bool:
    from redis.exceptions import NoPermissionError, ResponseError  # noqa: PLC0415 - see redis_url

    try:
        client.execute_command(*wish)
    except NoPermissionError:
        return True
    except ResponseError:  # a full server, a replica: no matter of rights
        return False
    return False


def _rule(wish: Wish) -> str:
    command, *arguments = wish
    right = f"+{command.lower().replace(' ', '|')}"
    if not arguments or command in _WITHOUT_KEY:
        return right
    if command == "EVALSHA":  # what runs, how many keys, the keys
        return f"{right} ~{arguments[2]}"
    return f"{right} {'&' if command in _OF_CHANNELS else '~'}{arguments[0]}"
