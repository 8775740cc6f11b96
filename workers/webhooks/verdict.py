"""What follows from a try to deliver a webhook: pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from random import Random

from dispatcher.store.webhooks import RETRY_FOR
from workers.webhooks.wire import Reply

FIRST, GROWTH, LONGEST = 5.0, 4.0, 3600.0  # seconds: 5 s, 20 s, 80 s, 5 min, 21 min, then hourly
SLOW = 2.0  # seconds: a receiver should note what it is told, answer, and work later
ENOUGH = 3  # failures in a row, after which a target is left alone for a while
SHORTEST_PAUSE, LONGEST_PAUSE = 5.0, 300.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`what` is done, again or dead; durations in seconds; `pause` is for the whole target."""

    what: str
    delay: float = 0
    pause: float = 0
    slow: bool = False
    error: str = ""

    @property
    def follows(self) -> str:
        """What happens next, in words."""
        return "given up" if self.what == "dead" else f"again in {self.delay:.0f} s"


def judge(
    reply: Reply, *, tries: int, failures: int, age: float, random: Random, own: bool = False
) -> Verdict:
    """Decide by a reply, the tries before it, the target's failures in a row before it, and the
    seconds since the event. `own`: a job named the receiver.
    """
    if not reply.error:
        return Verdict("done", slow=reply.seconds > SLOW)
    if reply.status == HTTPStatus.GONE:
        # Of a job's receivers only this URL is gone; its target is all of its host's.
        return Verdict("dead", pause=0 if own else LONGEST, error="it answered 410 (gone)")
    asked = min(reply.retry_after or 0, LONGEST)
    delay = max(backoff(tries, random), asked)
    what = "dead" if age + delay >= RETRY_FOR else "again"
    return Verdict(what, delay, _pause(reply, failures + 1, delay), error=reply.error)


def backoff(tries: int, random: Random) -> float:
    """Return the seconds until the next try: exponential, between half and all of it."""
    longest: float = min(LONGEST, FIRST * GROWTH ** min(tries, 10))
    return random.uniform(longest / 2, longest)


def _pause(reply: Reply, failures: int, delay: float) -> float:
    """Return for how long the target is left alone, where this webhook waits for `delay`.

    One that says it has too much is believed; another 4xx is about this webhook only.
    """
    busy = reply.status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
    asked = _asked(reply, delay) if busy else 0.0
    well = reply.status is not None and reply.status < HTTPStatus.INTERNAL_SERVER_ERROR
    if failures < ENOUGH or (well and not busy):
        return asked
    return max(asked, min(LONGEST_PAUSE, SHORTEST_PAUSE * 2.0 ** min(failures - ENOUGH, 10)))


def _asked(reply: Reply, delay: float) -> float:
    """Return the seconds that a busy target asks for; it need not say how long."""
    if reply.retry_after is None:
        return min(delay, LONGEST_PAUSE)
    return min(reply.retry_after, LONGEST)
