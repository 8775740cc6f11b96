"""The workers' connection to their broker: it says that it waits for one that is away, and loses no
message of a Redis that is full.

Celery publishes its events and the answers of remote control in the worker's main thread, and kombu
tries that again for ever, without a word. Where such a message is the first to meet a broker that
is gone, the part of the worker that would log it has no turn until the broker is back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery.app.amqp import AMQP
from celery.utils.log import get_logger
from kombu.connection import Connection as KombusConnection

from dispatcher.client.messages import broker_fault

log = get_logger(__name__)


class Connection(KombusConnection):
    """kombu's connection, but for what is tried again for ever, which is logged once a message, and
    for what a full Redis refuses to note.
    """

    def create_transport(self) -> Any:
        """Return what speaks to the broker."""
        transport = super().create_transport()  # type: ignore[no-untyped-call]
        if transport.driver_type == "redis":
            from workers.queue.redis_qos import keep_what_is_refused  # noqa: PLC0415

            keep_what_is_refused(transport)
        return transport

    def ensure(self, obj: Any, fun: Callable[..., Any], *how: Any, **policy: Any) -> Any:
        """Return a function that does what `fun` does, and tries again where the broker is away."""
        if not how and policy.get("errback") is None and policy.get("max_retries") is None:
            policy["errback"] = _said_once()
        return super().ensure(obj, fun, *how, **policy)  # type: ignore[no-untyped-call]


class Amqp(AMQP):  # type: ignore[misc]
    """What an app makes its messages with, on connections that are heard."""

    Connection = Connection


def _said_once() -> Callable[[Exception, float], object]:
    said = False

    def say(error: Exception, _pause: float) -> None:
        nonlocal said
        if not said:
            log.warning("%s Trying again until it answers", broker_fault(error))
        said = True

    return say
