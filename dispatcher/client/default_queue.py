"""What lies in Celery's default queue, to which `dispatcher.call` was sent up to 0.2.0.

A service that still sends there is not heard, and nobody is told: the broker accepts the message.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from dispatcher.client.queues import DEFAULT_QUEUE

CALL_TASK = "dispatcher.call"
MOST = 1000
"""Messages that are looked at, those that lie there longest."""


@dataclass(frozen=True, slots=True)
class DefaultQueue:
    """How many messages lie in it, and how many of the `MOST` oldest are calls; None: the broker
    lets nobody look at them without taking them.
    """

    messages: int
    calls: int | None


def look(connection: Any) -> DefaultQueue:
    """Return what lies there, by a kombu connection; nothing is taken. Raises what kombu raises."""
    if connection.transport.driver_type != "redis":
        return DefaultQueue(_count(connection), None)
    redis = connection.default_channel.client
    oldest = redis.lrange(DEFAULT_QUEUE, -MOST, -1)
    return DefaultQueue(redis.llen(DEFAULT_QUEUE), sum(map(_is_call, oldest)))


def _count(connection: Any) -> int:
    with connection.channel() as channel:
        try:
            declared = channel.queue_declare(DEFAULT_QUEUE, passive=True)
        except connection.channel_errors:  # there is none
            return 0
        return int(declared.message_count)


def _is_call(message: bytes) -> bool:
    try:
        return bool(json.loads(message)["headers"]["task"] == CALL_TASK)
    except (ValueError, LookupError, TypeError):
        return False
