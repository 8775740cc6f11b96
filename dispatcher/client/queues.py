"""The names of what is ours in the broker. The namespace stands before each of them, so that other
dispatchers, and services with workers of their own, can use the same broker.
"""

from __future__ import annotations

from dispatcher.model.states import Priority

CALL, CONTROL, WEBHOOKS = "call", "control", "webhooks"
DEFAULT_QUEUE = "celery"
"""Celery's own: where an app that names no queue puts what it sends."""


def in_broker(namespace: str, name: str) -> str:
    """Return the name in the broker of a queue or another thing of ours: `vd.urgent`.

    A namespace has no dot inside, so that no two of them can make the same name.
    """
    return f"{namespace}.{name}"


def dial_queues(namespace: str) -> tuple[str, ...]:
    """Return the queues that a worker which dials consumes."""
    return tuple(in_broker(namespace, name) for name in (*Priority, CONTROL))


def exchanges(namespace: str) -> dict[str, str]:
    """Return Celery's settings for task events and remote control, which every app hears that
    has the same names: Flower would show, and an inspection would count, the workers of others.
    """
    events = in_broker(namespace, "celeryev")
    return {
        "event_exchange": events,
        "event_queue_prefix": events,
        "control_exchange": in_broker(namespace, "celery"),
    }
