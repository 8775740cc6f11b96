"""A job's attempts along a line of time, and in words: pure functions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatcher.model.attempt import Attempt
from dispatcher.model.job import Job

WIDTH, HEIGHT = 600, 30
LEAST = 4.0
"""How wide an attempt is at the least, so that one of a second is seen within a day."""
SHORTEST = timedelta(seconds=10)
_SERIES = {
    None: "used",
    "placed": "used",
    "answered": "answered",
    "no_answer": "unanswered",
    "maybe_placed": "unknown",
    "outcome_unknown": "unknown",
}
"""What became of an attempt -> class in the style sheet; all others failed."""


@dataclass(frozen=True, slots=True)
class Span:
    """An attempt in the drawing."""

    number: int
    series: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class TimeBar:
    """The drawing, of WIDTH by HEIGHT, from a moment until another, and what it shows in words."""

    spans: tuple[Span, ...]
    since: datetime
    until: datetime
    words: str


def time_bar(job: Job, now: datetime) -> TimeBar | None:
    """Return the attempts of a job from when it was to be dialled; None: there are none yet."""
    sent = [(each, each.sent_at) for each in job.attempts if each.sent_at]
    if not sent:
        return None
    since = min(job.due_at, sent[0][1]) if job.since == 0 else sent[0][1]
    last = max(_end(each, at, now, running=not job.terminal) for each, at in sent)
    until = max(last, since + SHORTEST)
    scale = WIDTH / (until - since).total_seconds()
    spans = []
    for each, at in sent:
        length = (_end(each, at, now, running=not job.terminal) - at).total_seconds()
        width = max(LEAST, length * scale)
        x = min((at - since).total_seconds() * scale, WIDTH - width)
        spans.append(Span(each.number, series(each), x, width))
    return TimeBar(tuple(spans), since, until, _words(job))


def series(attempt: Attempt) -> str:
    """Return the class of what became of an attempt."""
    return _SERIES.get(attempt.result, "failed")


def _end(attempt: Attempt, sent: datetime, now: datetime, *, running: bool) -> datetime:
    if attempt.ended_at:
        return attempt.ended_at
    return now if running else sent


def _words(job: Job) -> str:
    results = Counter((each.result or "under way").replace("_", " ") for each in job.attempts)
    many = "1 attempt" if len(job.attempts) == 1 else f"{len(job.attempts)} attempts"
    return f"{many}: {', '.join(f'{n} {result}' for result, n in results.items())}"
