"""What the call task has fetched from a Redis that is full: it is done, and no more is fetched.

kombu takes a message off its list, and then notes it as unacknowledged. A full Redis allows the
first, which frees memory, and refuses the second: the message is in no place any more but here.
"""

from __future__ import annotations

import time
from typing import Any

from celery.utils.log import get_task_logger
from kombu.transport import redis, virtual

from dispatcher.client.messages import broker_fault
from dispatcher.store.errors import refusal_class

log = get_task_logger(__name__)

AGAIN_AFTER = 1.0
"""Seconds from a refusal to the next try."""


class QoS(redis.QoS):
    """kombu's, but for messages that Redis refuses to note: they are kept here until it does.

    Only the thread that consumes uses it; others acknowledge, by what kombu has for that.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)  # type: ignore[no-untyped-call]
        self._refused: dict[str, Any] = {}
        self._try_at = 0.0

    def append(self, message: Any, delivery_tag: str) -> None:
        """Note a message, or keep it here: who consumes gets it in either case."""
        try:
            super().append(message, delivery_tag)  # type: ignore[no-untyped-call]
        except refusal_class() as error:
            virtual.QoS.append(self, message, delivery_tag)  # type: ignore[no-untyped-call]
            self._refused[delivery_tag] = message
            self._try_at = time.monotonic() + AGAIN_AFTER
            log.warning("%s. A message is kept in memory until it is done", broker_fault(error))

    def can_consume(self) -> bool:
        """Whether another message may be fetched: not before Redis has noted all."""
        return self._all_noted() and bool(super().can_consume())  # type: ignore[no-untyped-call]

    def _all_noted(self) -> bool:
        if self._refused and time.monotonic() >= self._try_at:
            self._try_at = time.monotonic() + AGAIN_AFTER
            self._note_refused()
        return not self._refused

    def _note_refused(self) -> None:
        for tag, message in [*self._refused.items()]:
            if tag in self._delivered and tag not in self._dirty:  # else it is done already
                try:
                    super().append(message, tag)  # type: ignore[no-untyped-call]
                except refusal_class():
                    return
            del self._refused[tag]


def keep_what_is_refused(transport: Any) -> None:
    """Let the channels of a connection to Redis lose no message that it refuses to note."""
    kombus = transport.Channel
    transport.Channel = type(kombus.__name__, (kombus,), {"QoS": QoS})
