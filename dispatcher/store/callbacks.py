"""What the provider reported by itself: kept from the moment it came until it was applied."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from dispatcher.store.connection import Repository, milliseconds
from dispatcher.store.redis_url import plain_errors

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
class CallReport:
    """The word on an attempt's call. `cost` is in credits, `duration` in seconds."""

    job_id: str
    attempt: int
    callid: str
    status: str
    cost: Decimal | None = None
    duration: float | None = None

    def written(self) -> str:
        """Return it as the inbox keeps it; the same report is always the same text."""
        cost = None if self.cost is None else str(self.cost)
        fields = (self.job_id, self.attempt, self.callid, self.status, cost, self.duration)
        return json.dumps(fields, separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what `written` wrote."""
        job_id, attempt, callid, status, cost, duration = json.loads(text)
        known = None if cost is None else Decimal(cost)
        return cls(job_id, attempt, callid, status, known, duration)


class Callbacks(Repository):
    """The inbox of reports that wait to be applied. What is the same word for word waits once."""

    def receive(self, reports: Iterable[CallReport], counts: Mapping[str, int]) -> int:
        """Write reports, and add to what is counted; return how many reports were new."""
        texts = (report.written() for report in reports)
        return int(self._run("receive_reports", json.dumps(counts), *texts))

    def take(self, most: int = 100) -> list[CallReport]:
        """Take reports to apply, the oldest first; they come again unless they are `done`."""
        texts = self._run("take_reports", most, milliseconds(LEASE))
        return [CallReport.read(text.decode()) for text in texts]

    def done(self, reports: Iterable[CallReport], counts: Mapping[str, int]) -> None:
        """Drop reports that were applied, and count what became of them."""
        texts = (report.written() for report in reports)
        self._run("drop_reports", json.dumps(counts), *texts)

    def due(self) -> bool:
        """Whether reports wait that nobody has taken."""
        return bool(self._run("reports_due"))

    def forget(self, jobs: Container[str]) -> None:
        """Drop what was reported of these jobs and nobody has applied yet."""
        with plain_errors():
            waiting = self._redis.zscan_iter(self._key("reports"), count=AT_ONCE)
            reports = (CallReport.read(member.decode()) for member, _ in waiting)
            gone = [report for report in reports if report.job_id in jobs]
        self.done(gone, {})
