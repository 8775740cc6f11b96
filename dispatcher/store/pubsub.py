"""News as it happens: a job that moved, a webhook that was written.

News may be lost while Redis is away: whoever listens looks again after each confirmation that it
is subscribed, the first and any after a lost connection.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dispatcher.store.connection import Connection, Repository
from dispatcher.store.errors import plain_errors

if TYPE_CHECKING:
    from redis.client import PubSub as Subscription


@dataclass(frozen=True, slots=True)
class Move:
    """A job came to another state: `place` is the line of its timeline that tells of it."""

    job_id: str
    place: int


class JobNews:
    """News of single jobs, which may be followed and left while one listens."""

    def __init__(self, connection: Connection, news: Subscription) -> None:
        self._connection, self._news = connection, news

    def follow(self, ids: Iterable[str]) -> None:
        """Listen for moves of these jobs, too."""
        self._news.subscribe(*(self._connection.key("job", id_) for id_ in ids))

    def leave(self, ids: Iterable[str]) -> None:
        """Do not listen for moves of these jobs any more."""
        self._news.unsubscribe(*(self._connection.key("job", id_) for id_ in ids))

    def read(self, timeout: float) -> set[str]:
        """Return the jobs there is news of, once there is any, or nothing after the timeout.

        That a job is followed from now on counts as news of it.
        """
        told: set[str] = set()
        message = self._news.get_message(timeout=timeout)
        while message is not None:
            told.add(message["channel"].decode().rpartition(":")[2])
            message = self._news.get_message(timeout=0)
        return told


class Moves:
    """The moves of all jobs."""

    def __init__(self, news: Subscription) -> None:
        self._news = news

    def read(self, timeout: float, most: int) -> tuple[bool, list[Move]]:
        """Return what moved, once anything did, or nothing after the timeout; at most so much.

        The first value says that nothing is missed from now on: said once at first, and again
        after each lost connection.
        """
        found: list[dict[str, Any]] = []
        message = self._news.get_message(timeout=timeout)
        while message is not None:
            found.append(message)
            message = self._news.get_message(timeout=0) if len(found) < most else None
        moves = [
            Move(message["channel"].decode().rpartition(":")[2], int(message["data"]))
            for message in found
            if message["type"] == "pmessage"
        ]
        return any(message["type"] == "psubscribe" for message in found), moves


class WebhookNews:
    """The news that webhooks were written."""

    def __init__(self, news: Subscription) -> None:
        self._news = news

    def wait(self, timeout: float) -> None:
        """Return when some were written since the last time, or after the timeout in seconds."""
        self._news.get_message(timeout=timeout)
        while self._news.get_message(timeout=0):  # one look is enough for all that was told
            pass


class PubSub(Repository):
    """Subscriptions. What is raised within them is StoreUnavailable where Redis goes away."""

    def new_bell(self) -> str:
        """Return the name of a bell that nobody else has: ringing it wakes those who listen."""
        return self._key("bell", secrets.token_hex(8))

    def ring(self, bell: str) -> None:
        """Wake whoever listens to a bell."""
        with plain_errors():
            self._connection.redis.publish(bell, "")

    @contextmanager
    def jobs(self, bell: str) -> Iterator[JobNews]:
        """Listen for news of single jobs; the bell wakes from `read`, too."""
        with plain_errors(), self._connection.redis.pubsub() as news:
            news.subscribe(bell)
            yield JobNews(self._connection, news)

    @contextmanager
    def moves(self, bell: str | None = None) -> Iterator[Moves]:
        """Listen for the moves of all jobs; a bell wakes from `read`, too."""
        with plain_errors(), self._connection.redis.pubsub() as news:
            news.psubscribe(self._key("job", "*"))
            if bell:  # after that: its confirmation says nothing
                news.subscribe(bell)
            yield Moves(news)

    @contextmanager
    def webhooks(self) -> Iterator[WebhookNews]:
        """Listen for webhooks that are written."""
        with plain_errors(), self._connection.redis.pubsub(ignore_subscribe_messages=True) as news:
            news.subscribe(self._key("webhook_news"))
            yield WebhookNews(news)
