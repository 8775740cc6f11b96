"""What the provider reported by itself: kept from the moment it came until it was applied."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from dispatcher.model.call import CallReport
from dispatcher.model.callbacks_seen import CallbacksSeen
from dispatcher.model.outcome import Outcome
from dispatcher.store.connection import Repository, milliseconds
from dispatcher.store.errors import plain_errors
from dispatcher.store.schema import Seen

FATES = (
    "received",
    "applied",
    "late",
    "not_final",
    "gone",
    "other_call",
    "forged",
    "expired",
    "mangled",
)
"""What is counted of callbacks, each as `callbacks.<fate>`: those that were written to the inbox;
what became of these (changed their job, came too late to change it, said that a known call is not
over, found no job, were of another call than the known one); and those that were turned away."""
AT_ONCE = 500
LEASE = 30.0
"""Seconds after which reports come again whose taker did not say that they are done."""


@dataclass(frozen=True, slots=True)
class Callback:
    """What was reported of an attempt's call: `word` is the provider's, `outcome` what it means.

    `cost` is in credits, `duration` in seconds. `outcome` None was written by version 0.1.0, which
    kept the word alone.
    """

    job_id: str
    attempt: int
    callid: str
    word: str
    outcome: Outcome | None
    cost: Decimal | None = None
    duration: float | None = None

    @classmethod
    def of(cls, job_id: str, attempt: int, report: CallReport) -> Self:
        """Return what the inbox keeps of a report; its word without what cannot be shown."""
        word = "".join(each if each.isprintable() else "?" for each in report.word)
        cost, duration = report.cost, report.duration
        return cls(job_id, attempt, report.callid, word, report.outcome, cost, duration)

    @property
    def report(self) -> CallReport:
        """The report. Where it is not known what the word means, a status check will tell."""
        outcome = self.outcome or Outcome.IN_PROGRESS
        return CallReport(outcome, self.word, self.callid, self.cost, self.duration)

    def written(self) -> str:
        """Return it as the inbox keeps it; the same report is always the same text."""
        cost = None if self.cost is None else str(self.cost)
        fields = [self.job_id, self.attempt, self.callid, self.word, cost, self.duration]
        meaning = [] if self.outcome is None else [self.outcome]
        return json.dumps(fields + meaning, separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what `written` wrote."""
        job_id, attempt, callid, word, cost, duration, *meaning = json.loads(text)
        outcome = Outcome(meaning[0]) if meaning else None
        known = None if cost is None else Decimal(cost)
        return cls(job_id, attempt, callid, word, outcome, known, duration)


class Callbacks(Repository):
    """The inbox of reports that wait to be applied. What is the same word for word waits once."""

    def receive(
        self, reports: Iterable[Callback], counts: Mapping[str, int], *, replicas: int = 0
    ) -> int:
        """Write reports, and add to what is counted; return how many reports were new.

        Raises TooFewReplicas where they are written, but not on so many replicas.
        """
        texts = [report.written() for report in reports]
        return int(
            self._run("receive_callbacks", counts=dict(counts), reports=texts, replicas=replicas)
        )

    def take(self, most: int = 100, lease: float = LEASE) -> list[Callback]:
        """Take reports to apply, the oldest first; they come again unless they are `done`."""
        texts = self._run("take_callbacks", most=most, lease=milliseconds(lease))
        return [Callback.read(text.decode()) for text in texts]

    def done(self, reports: Iterable[Callback], counts: Mapping[str, int]) -> None:
        """Drop reports that were applied, and count what became of them."""
        texts = [report.written() for report in reports]
        self._run("drop_callbacks", counts=dict(counts), reports=texts)

    def seen(self) -> CallbacksSeen:
        """Return whether callbacks are seen to arrive. What happened by a clock that has gone back
        since is not known.
        """
        with plain_errors():
            found: list[bytes | None] = self._redis.hmget(self._key("callbacks_seen"), list(Seen))  # type: ignore[assignment]
        last, missing, redialled, passed, failed = found
        now = self._now()
        moments = (
            float(each) if each and float(each) <= now else None for each in (last, passed, failed)
        )
        return CallbacksSeen(next(moments), int(missing or 0), int(redialled or 0), *moments)

    def may_redial(self, most: int) -> bool:
        """Whether one more job may be dialled again because no callback came for it: fewer than
        `most` were since a callback came last. It counts as dialled again then.
        """
        return bool(self._run("may_redial", most=most))

    def note_test(self, *, passed: bool) -> None:
        """Note that a worker's own request to the public URL came to the gateway, or did not."""
        self._run("note_callback_test", passed=passed)

    def due(self) -> bool:
        """Whether reports wait that nobody has taken."""
        return bool(self._run("callbacks_due"))

    def forget(self, jobs: Container[str]) -> None:
        """Drop what was reported of these jobs and nobody has applied yet."""
        with plain_errors():
            waiting = self._redis.zscan_iter(self._key("callbacks"), count=AT_ONCE)
            reports = (Callback.read(member.decode()) for member, _ in waiting)
            gone = [report for report in reports if report.job_id in jobs]
        self.done(gone, {})
