"""A huey task that posts."""

from __future__ import annotations

import os

from huey import RedisHuey

from benchmarks.peers.request import ask

huey = RedisHuey("bare", url=os.environ["BARE_REDIS"], results=False)


@huey.task()
def call(recipient: str, message: str) -> None:
    """Ask for a call."""
    ask(recipient, message)


send = call
