"""Forgetting: all that stands of one recipient, or what ended long ago."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Self

from dispatcher.model.job import Job
from dispatcher.model.states import TERMINAL, WAITING
from dispatcher.store import Refused, Store, UnknownJob
from dispatcher.store.callbacks import CallbackInbox
from dispatcher.store.redis_url import plain_errors
from dispatcher.store.search import PAGE, Filter, ended_before, find
from dispatcher.store.webhooks import Outbox

DAY = 86_400_000.0


@dataclass(frozen=True, slots=True)
class Jobs:
    """A recipient's jobs, by what may be done to them."""

    ended: tuple[Job, ...] = ()
    waiting: tuple[Job, ...] = ()
    under_way: tuple[Job, ...] = ()

    @classmethod
    def of(cls, store: Store, number: str) -> Self:
        """Return the jobs that call an E.164 number, conferences with others among them."""
        jobs = list(find(store, Filter(recipient=number)))
        return cls(
            ended=tuple(job for job in jobs if job.state in TERMINAL),
            waiting=tuple(job for job in jobs if job.state in WAITING),
            under_way=tuple(job for job in jobs if job.state not in TERMINAL | WAITING),
        )

    @property
    def alive(self) -> tuple[Job, ...]:
        """Those that are not ended."""
        return self.waiting + self.under_way


@dataclass(frozen=True, slots=True)
class Purged:
    """What was forgotten. `left` are jobs that are under way: they can be when they have ended."""

    jobs: int = 0
    cancelled: int = 0
    webhooks: int = 0
    left: tuple[Job, ...] = field(default=())


def forget_recipient(store: Store, number: str, *, actor: str, why: str) -> Purged:
    """Remove a recipient's jobs and all else that stands of the number (E.164).

    Jobs that wait are cancelled first. Those under way are left, and told. What tells others of
    removed jobs and is not delivered yet goes with them. It may be repeated.
    """
    found = Jobs.of(store, number)
    cancelled = sum(_cancelled(store, job.id, actor, why) for job in found.waiting)
    found = Jobs.of(store, number)
    removed = [job.id for job in found.ended if store.purge(job.id, store.now() + DAY)]
    outbox = Outbox(store)
    webhooks = sum(outbox.forget(id_) for id_ in outbox.about(number))
    CallbackInbox(store).forget(set(removed))
    store.run("forget_number", number.removeprefix("+"))
    return Purged(len(removed), cancelled, webhooks, Jobs.of(store, number).alive)


def _cancelled(store: Store, id_: str, actor: str, why: str) -> bool:
    try:
        store.cancel(id_, actor=actor, why=why)
        return True
    except (Refused, UnknownJob):
        return False


def forget_older(store: Store, before: float) -> Purged:
    """Remove jobs that ended before a moment (ms since the epoch), and webhooks as old."""
    # Those that were created long ago and ended lately stay, until their own time has come.
    removed = sum(store.purge(id_, before) for id_ in ended_before(store, before))
    return Purged(jobs=removed, webhooks=Outbox(store).purge(before))


def count_older(store: Store, before: float) -> int:
    """Return how many jobs forget_older would remove."""
    return sum(_ended(store, page, before) for page in _pages(ended_before(store, before)))


def _ended(store: Store, ids: Iterable[str], before: float) -> int:
    with plain_errors():
        pipe = store.redis.pipeline(transaction=False)
        for id_ in ids:
            pipe.hget(store.key("job", id_), "finished")
        moments: Any = pipe.execute()
    return sum(moment is not None and float(moment) < before for moment in moments)


def _pages(all_: Iterator[str]) -> Iterator[list[str]]:
    while page := list(islice(all_, PAGE)):
        yield page
