"""What each process does in a Redis that is the broker, as commands that it must be allowed.

Celery starts without a right that it will need: then messages lie there, and nobody says why.
docs/redis.acl grants these rights; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from dispatcher.client.queues import CALL, CONTROL, WEBHOOKS, dial_queues, in_broker
from dispatcher.store.probe import Wish


class Part(StrEnum):
    """What a process has to do with the broker."""

    DIAL = "dial"
    CALL_TASK = "call-task"
    WEBHOOKS = "webhooks"
    BEAT = "beat"
    GATEWAY = "gateway"
    FLOWER = "flower"
    PRODUCER = "producer"


def wishes(part: Part, namespace: str, database: int) -> list[Wish]:
    """Return the commands of a process."""
    ours = _Names(namespace, database)
    if part in (Part.GATEWAY, Part.PRODUCER):
        return _sending(dial_queues(namespace))
    if part == Part.BEAT:
        queue = in_broker(namespace, CONTROL)
        return [*_sending([queue]), *_declaring([queue])]
    if part == Part.FLOWER:
        return [*_asking(ours), ("PSUBSCRIBE", f"{ours.events}/*"), ("LLEN", ours.queue(CONTROL))]
    queues = {
        Part.DIAL: dial_queues(namespace),
        Part.WEBHOOKS: (ours.queue(WEBHOOKS),),
        Part.CALL_TASK: (ours.queue(CALL),),
    }[part]
    sent = dial_queues(namespace) if part != Part.WEBHOOKS else queues
    kept = _acknowledging(ours) if part == Part.CALL_TASK else []
    return [*_consuming(ours, queues), *_sending(sent), *kept]


def result_wishes() -> list[Wish]:
    """Return what Celery does in the Redis of the records to keep the call task's results."""
    name = "celery-task-meta-x"
    return [("GET", name), ("SETEX", name, "1", "x"), ("PUBLISH", name, "x")]


_BINDING: list[Wish] = [
    ("SCRIPT EXISTS", "0" * 40),
    ("SCRIPT LOAD", "return 1"),
    ("EVALSHA", "0" * 40, "1", "_kombu.binding_deadlines"),
    ("ZADD", "_kombu.binding_deadlines", "0", "x"),
]
"""What kombu does to let a queue for answers end by itself."""


class _Names:
    """Names in the broker, of a namespace."""

    def __init__(self, namespace: str, database: int) -> None:
        self._namespace = namespace
        self.events = f"/{database}.{in_broker(namespace, 'celeryev')}"
        self.control = f"/{database}.{in_broker(namespace, 'celery.pidbox')}"
        self.reply = f"x.reply.{in_broker(namespace, 'celery.pidbox')}"

    def queue(self, name: str) -> str:
        return in_broker(self._namespace, name)


def _sending(queues: Iterable[str]) -> list[Wish]:
    return [("LPUSH", queue, "x") for queue in queues]


def _declaring(queues: Iterable[str]) -> list[Wish]:
    bindings: list[Wish] = [("SADD", f"_kombu.binding.{queue}", "x") for queue in queues]
    return [*bindings, *(("LLEN", queue) for queue in queues)]


def _consuming(ours: _Names, queues: Iterable[str]) -> list[Wish]:
    """What a worker does: it takes messages, tells Flower of them, and answers who asks it."""
    return [
        *_declaring(queues),
        *(("BRPOP", queue, "1") for queue in queues),
        *(("RPUSH", queue, "x") for queue in queues),
        ("PUBLISH", f"{ours.events}/worker.online", "x"),
        ("PSUBSCRIBE", ours.control),
        ("LPUSH", ours.reply, "x"),
        ("SMEMBERS", f"_kombu.binding.{ours.reply.removeprefix('x.')}"),
        *_BINDING,
    ]


def _asking(ours: _Names) -> list[Wish]:
    """What it takes to ask workers something, and to hear what they answer."""
    return [
        ("PUBLISH", ours.control, "x"),
        ("BRPOP", ours.reply, "1"),
        *_BINDING,
    ]


def _acknowledging(ours: _Names) -> list[Wish]:
    """What kombu does to keep messages until they are acknowledged."""
    kept, index, lock = (ours.queue(f"unacked{end}") for end in ("", "_index", "_mutex"))
    return [
        ("HSET", kept, "x", "x"),
        ("HGET", kept, "x"),
        ("HDEL", kept, "x"),
        ("ZADD", index, "0", "x"),
        ("ZREM", index, "x"),
        ("ZRANGE", index, "0", "0"),
        ("SET", lock, "x"),
    ]
