"""How a worker takes messages from its broker, and waits for one that is away."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from amqp.exceptions import ResourceLocked
from celery.exceptions import WorkerShutdown
from celery.platforms import EX_FAILURE
from celery.utils.log import get_logger
from celery.worker.consumer import Consumer as CelerysConsumer
from kombu.exceptions import InconsistencyError

from dispatcher.client.messages import DIAL, broker_fault
from dispatcher.client.rabbitmq import BrokerUnavailable
from dispatcher.store.errors import refusal_class

log = get_logger(__name__)

LOOKS = {"interval_start": 1, "interval_step": 1, "interval_max": 3}
"""Seconds between two looks for a broker that is away."""
NO_TASK = (TypeError, ValueError, LookupError, AttributeError, RecursionError)
"""What a message raises that is built otherwise than Celery's."""
REFUSED_FOR = 1.0
"""Seconds from a refusal of the broker's Redis to the next try."""


class Consumer(CelerysConsumer):
    """Celery's consumer, but for what RabbitMQ, and a broker that is away or refuses, ask of it."""

    connection_errors: tuple[type[Exception], ...]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # A Redis that is a replica now, or has too few of them, would end the worker.
        self.connection_errors = (*self.connection_errors, refusal_class())

    def start(self) -> None:
        """Consume until the end; say in a sentence where another worker has this one's name."""
        try:
            super().start()
        except (InconsistencyError, ResourceLocked):  # its queue for remote control is another's
            log.critical(
                "a worker called %s is connected to this broker: choose another name with --name."
                " Where that is this worker's own connection, which the broker still takes for"
                " alive, starting it again in a minute will do",
                self.hostname,
            )
            raise WorkerShutdown(EX_FAILURE) from None

    def ensure_connected(self, conn: Any) -> Any:
        """Wait for the broker, and look for it every few seconds: Celery's pauses grow to 30."""
        conn.ensure_connection = partial(conn.ensure_connection, **LOOKS)
        return super().ensure_connected(conn)

    def connect(self) -> Any:
        """Connect, and limit what is fetched ahead for each queue, not for all of them together.

        A quorum queue refuses the latter (540). Which type a queue has is the virtual host's
        decision, and Celery knows only of types that the app asks for. RabbitMQ 4 has no other way.
        """
        connection = super().connect()
        if connection.transport.driver_type == "amqp":
            connection.transport.qos_semantics_matches_spec = lambda _: True
        return connection

    def create_task_handler(self, *args: Any, **options: Any) -> Any:
        """Return what takes a message in. A wake-up is done at once: it has no use for a thread.

        One that is no task's is dropped: Celery trips over some, and a worker that ends by it meets
        the same message at its next start.
        """
        handle = super().create_task_handler(*args, **options)
        wake = getattr(self.app, "wake", None)

        def take(message: Any) -> None:
            try:
                if wake and (message.headers or {}).get("task") == DIAL:
                    message.ack_log_error(log, self.connection_errors)
                    wake()
                else:
                    handle(message)
            except NO_TASK as error:
                log.error(  # noqa: TRY400 - what it trips over may be in the traceback
                    "a message was dropped: Celery cannot read it (%s), in the queue %r: see who"
                    " sends there",
                    type(error).__name__,
                    (message.delivery_info or {}).get("routing_key"),
                )
                message.reject_log_error(log, self.connection_errors)

        return take

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        """Say that the broker was not reached, and wait where it refuses."""
        super().on_connection_error_before_connected(_in_our_words(exc))

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Give the connection up, and wait where the broker refuses."""
        super().on_connection_error_after_connected(_in_our_words(exc))


def _in_our_words(error: Exception) -> Exception:
    """Return an error as it may be logged, after a pause where Redis refused something: in its own
    words there may be the message.
    """
    if not isinstance(error, refusal_class()):
        return error
    time.sleep(REFUSED_FOR)
    return BrokerUnavailable(broker_fault(error))
