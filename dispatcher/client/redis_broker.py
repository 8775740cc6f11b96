"""Whether a Redis that is the broker takes messages now: asked without sending one."""

from __future__ import annotations

from typing import Any

from dispatcher.client.queues import CONTROL, in_broker


def require_taken(connection: Any, namespace: str) -> None:
    """Raise what redis-py raises where Redis, by a kombu connection, refuses a message: it is full,
    a replica, without enough replicas.

    Redis refuses when a command is put into a transaction; this one is dropped.
    """
    with connection.default_channel.client.client() as one:
        try:
            one.execute_command("MULTI")
            one.execute_command("LPUSH", in_broker(namespace, CONTROL), "")
        finally:
            one.connection.disconnect()
