"""The stoppage: nobody can be called at all. Noted by all who look, told of once."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.policy.can_call import Obstacle
from dispatcher.store.connection import Repository, milliseconds
from dispatcher.store.errors import plain_errors
from dispatcher.store.schema import StoppageField
from dispatcher.values.masking import mask_text

NEWS_LEASE = 120.0
"""Seconds for which who takes news has them for itself: longer than a mail takes to be sent."""


@dataclass(frozen=True, slots=True)
class StoppageNews:
    """What is to be told to people: `kind` is `stopped` or `possible`.

    `at` is when it became so and `since` when the stoppage began, ms since the epoch.
    """

    kind: str
    at: float
    since: float
    cause: str
    why: str
    remedy: str


class Stoppage(Repository):
    """Whether anybody can be called, as those who watch it noted."""

    def note(self, found: Obstacle | None, grace: float) -> str:
        """Note what was seen; return `stopped` or `possible` to the one who sees first that a
        stoppage has lasted for `grace` seconds, or that it is over; else ''. That very step writes
        the account event. Numbers are masked: a person may have paused, and written one down.
        """
        answer: bytes = self._run(
            "note_stoppage",
            cause=found.cause if found else None,
            why=mask_text(found.why) if found else None,
            remedy=found.remedy if found else None,
            grace=milliseconds(grace),
        )
        return answer.decode()

    def stopped(self) -> bool:
        """Return whether a stoppage was told of that lasts."""
        with plain_errors():
            found = self._redis.hget(self._key("stoppage"), StoppageField.TOLD)
        return found is not None

    def take_news(self) -> StoppageNews | None:
        """Take what is to be told by mail, if nobody else is at it."""
        found = self._run("take_stoppage_news", lease=milliseconds(NEWS_LEASE))
        if not found:
            return None
        kind, at, since, *words = (each.decode() for each in found)
        return StoppageNews(kind, float(at), float(since), *words)

    def news_told(self, news: StoppageNews) -> None:
        """Note that these news are told. Later ones stay."""
        self._run("settle_stoppage_news", kind=news.kind, at=round(news.at))

    def take_ping(self, every: float, *, possible: bool) -> bool:
        """Return whether it is ours to tell that calls are possible, or that they are not, for the
        next so many seconds.
        """
        with plain_errors():
            key = self._key("ping", "alive" if possible else "fail")
            return bool(self._redis.set(key, "1", nx=True, px=milliseconds(every)))
