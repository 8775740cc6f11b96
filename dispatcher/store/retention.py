"""Forgetting: all that stands of one recipient, or what ended long ago."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from dispatcher.model.filters import Filter
from dispatcher.model.job import Job
from dispatcher.model.states import TERMINAL, WAITING
from dispatcher.store.alerts import Alerts
from dispatcher.store.callbacks import Callbacks
from dispatcher.store.campaigns import Campaigns
from dispatcher.store.connection import Connection, Repository
from dispatcher.store.errors import plain_errors
from dispatcher.store.indexes import PAGE
from dispatcher.store.jobs import Jobs
from dispatcher.store.redaction import Redacted, Redaction
from dispatcher.store.schema import Field
from dispatcher.store.search import Search
from dispatcher.store.values import Refused, UnknownJob
from dispatcher.store.webhooks import Webhooks
from dispatcher.values.mentions import Mentions

DAY = 86_400_000.0


@dataclass(frozen=True, slots=True)
class RecipientJobs:
    """A recipient's jobs, by what may be done to them."""

    ended: tuple[Job, ...] = ()
    waiting: tuple[Job, ...] = ()
    under_way: tuple[Job, ...] = ()

    @property
    def alive(self) -> tuple[Job, ...]:
        """Those that are not ended."""
        return self.waiting + self.under_way


@dataclass(frozen=True, slots=True)
class Purged:
    """What was forgotten. `left` are jobs that are under way: they can be when they have ended.
    `redacted` is what stays without the number.
    """

    jobs: int = 0
    cancelled: int = 0
    webhooks: int = 0
    alerts: int = 0
    left: tuple[Job, ...] = field(default=())
    redacted: Redacted = field(default=Redacted())


class Retention(Repository):
    """What is kept no longer. Not one atomic step each, but each may be repeated."""

    def __init__(
        self,
        connection: Connection,
        jobs: Jobs,
        search: Search,
        webhooks: Webhooks,
        callbacks: Callbacks,
        *,
        redaction: Redaction,
        campaigns: Campaigns,
        alerts: Alerts,
    ) -> None:
        super().__init__(connection)
        self._jobs, self._search = jobs, search
        self._webhooks, self._callbacks = webhooks, callbacks
        self._redaction = redaction
        self._campaigns, self._alerts = campaigns, alerts

    def jobs_of(self, number: str) -> RecipientJobs:
        """Return the jobs that call an E.164 number, conferences with others among them."""
        jobs = list(self._search.find(Filter(recipient=number)))
        return RecipientJobs(
            ended=tuple(job for job in jobs if job.state in TERMINAL),
            waiting=tuple(job for job in jobs if job.state in WAITING),
            under_way=tuple(job for job in jobs if job.state not in TERMINAL | WAITING),
        )

    def forget_recipient(self, number: str, *, actor: str, note: str) -> Purged:
        """Remove a recipient's jobs and all else that stands of the number (E.164).

        Jobs that wait are cancelled first. Those under way are left, and told. What tells others
        of removed jobs and is not delivered yet goes with them. What people did, and what
        happened to the account, stays with the number masked.
        """
        found = self.jobs_of(number)
        cancelled = sum(self._cancelled(job.id, actor, note) for job in found.waiting)
        ended = self.jobs_of(number).ended
        removed = [job.id for job in ended if self._jobs.purge(job.id, self._now() + DAY)]
        webhooks = sum(self._webhooks.forget(id_) for id_ in self._webhooks.about(number))
        self._callbacks.forget(set(removed))
        self._run("forget_number", digits=number.removeprefix("+"))
        self._campaigns.forget_named(Mentions(number))
        left, redacted = self.jobs_of(number).alive, self._redaction.redact(Mentions(number))
        return Purged(len(removed), cancelled, webhooks, left=left, redacted=redacted)

    def _cancelled(self, id_: str, actor: str, note: str) -> bool:
        try:
            self._jobs.cancel(id_, actor=actor, note=note)
            return True
        except (Refused, UnknownJob):
            return False

    def forget_older(
        self, before: float, tell: Callable[[int], None] = lambda _removed: None
    ) -> Purged:
        """Remove jobs that ended before a moment (ms since the epoch), webhooks as old, and alerts
        that ended or were heard of last before. Tells how many jobs it has removed so far.
        """
        removed = 0
        # Those that were created long ago and ended lately stay, until their own time has come.
        for id_ in self._search.ended_before(before):
            removed += self._jobs.purge(id_, before)
            tell(removed)
        webhooks, alerts = self._webhooks.purge(before), self._alerts.purge_older(before)
        return Purged(jobs=removed, webhooks=webhooks, alerts=alerts)

    def count_older(self, before: float) -> int:
        """Return how many jobs forget_older would remove."""
        pages = _pages(self._search.ended_before(before))
        return sum(self._ended(page, before) for page in pages)

    def _ended(self, ids: Iterable[str], before: float) -> int:
        with plain_errors():
            pipe = self._pipeline()
            for id_ in ids:
                pipe.hmget(self._key("job", id_), Field.CREATED, Field.FINISHED)
            moments: Any = pipe.execute()
        return sum(
            since is not None and float(created) + float(since) < before
            for created, since in moments
        )


def _pages(all_: Iterator[str]) -> Iterator[list[str]]:
    while page := list(islice(all_, PAGE)):
        yield page
