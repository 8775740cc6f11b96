"""A Celery task that posts."""

from __future__ import annotations

import os

from celery import Celery

from benchmarks.peers.request import ask

app = Celery("bare", broker=os.environ["BARE_REDIS"], set_as_current=False)
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)


@app.task
def call(recipient: str, message: str) -> None:
    """Ask for a call."""
    ask(recipient, message)


send = call.delay
