"""A dramatiq actor that posts."""

from __future__ import annotations

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from benchmarks.peers.request import ask

dramatiq.set_broker(RedisBroker(url=os.environ["BARE_REDIS"]))


@dramatiq.actor
def call(recipient: str, message: str) -> None:
    """Ask for a call."""
    ask(recipient, message)


send = call.send
