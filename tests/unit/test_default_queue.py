"""What is seen of Celery's default queue on a broker that lets nobody look at messages: kombu's own
in memory stands for it, which counts as RabbitMQ does.
"""

from __future__ import annotations

from celery import Celery

from dispatcher.client import default_queue
from dispatcher.client.default_queue import DefaultQueue


def test_a_queue_that_is_not_there_is_empty_and_what_lies_in_one_is_counted_and_left() -> None:
    with (
        Celery("service", broker="memory://", set_as_current=False) as app,
        app.connection_for_read() as connection,
    ):
        assert default_queue.look(connection) == DefaultQueue(0, None)
        for _ in range(3):
            app.send_task("dispatcher.call", connection=connection)
        for _ in range(2):
            assert default_queue.look(connection) == DefaultQueue(3, None)
