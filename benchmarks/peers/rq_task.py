"""An rq job that posts. It has no threads: as many processes, which fork for no job."""

from __future__ import annotations

import os

from redis import Redis
from rq import Queue

from benchmarks.peers.request import ask

queue = Queue("bare", connection=Redis.from_url(os.environ["BARE_REDIS"]))


def send(recipient: str, message: str) -> None:
    """Enqueue a call."""
    queue.enqueue(ask, recipient, message, result_ttl=0)
