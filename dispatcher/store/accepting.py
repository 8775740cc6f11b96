"""Writing new jobs: where producers wait for replicas, a failover loses none that is accepted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import Any

from dispatcher.store.connection import Call, Connection, Repository
from dispatcher.store.errors import StoreUnavailable, StoreUnsuitable, TooFewReplicas
from dispatcher.store.following import Following
from dispatcher.store.replicas import Replicas
from dispatcher.store.values import Packed, Room

FIRST, AT_ONCE = 25, 50
"""Jobs written in the first atomic step, and in one at most: a few milliseconds of Redis' time."""
PATIENCE, PAUSE = 2.0, 0.1
"""Seconds that a worker has to give a claim back which too few replicas have, and between looks."""
Answer = str | Exception


class Accepting(Repository):
    """What a producer is told of each request: `new`, `same`, `other`, `purged`, what
    `request_refused` reads, what there is no room of (NO_ROOM), or an error.
    """

    def __init__(
        self,
        connection: Connection,
        replicas: Replicas,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(connection)
        self._replicas, self._sleep = replicas, sleep

    def write(
        self,
        rows: Iterable[Packed],
        actor: str,
        room: Room | None = None,
        following: Sequence[Following] = (),
    ) -> list[Answer]:
        """Write packed requests in one round trip, as far as there is room (None: any), and return
        what became of each. Redis works on those that have come while others are made.

        `following` is asked for as soon as they are there, and heeded where Redis refused not all.

        An error that stands for one is true: that job is not there, unless somebody else asked for
        it as well. Raises StoreUnavailable where Redis did not answer: then nobody knows.
        """
        replicas = self._replicas.for_accepting()
        steps: list[list[Packed]] = []
        most = {"most_jobs": room.jobs, "most_bytes": room.bytes} if room else {}
        how = {"actor": actor, "durable": replicas > 0, **most}

        def calls() -> Iterator[Call]:
            for step in _steps(rows):
                steps.append(step)
                yield "enqueue", {**how, "jobs": as_list(step)}
            if not replicas:  # else nobody looks before they have it
                yield from _calls(following, steps)

        try:
            answers = self._connection.stream(calls(), replicas=replicas)
        except TooFewReplicas as error:
            return self._withdraw(steps, _flat(steps, error.answers), error)
        if replicas:
            answers += self._ask(list(_calls(following, steps)))
        answers, followed = answers[: len(steps)], answers[len(steps) :]
        if not all(isinstance(answer, Exception) for answer in answers):
            for each, answer in zip(following, followed, strict=True):
                each.heed(answer)
        return _flat(steps, answers)

    def look(self, rows: Iterable[Packed]) -> list[Answer]:
        """Return what `write` would answer for each now; nothing is written."""
        steps: list[list[Packed]] = []

        def calls() -> Iterator[Call]:
            for step in _steps(rows):
                steps.append(step)
                yield "find_existing", {"jobs": as_list(step)}

        return _flat(steps, self._connection.stream(calls()))

    def _ask(self, calls: Sequence[Call]) -> list[Any]:
        try:
            return self._connection.answers(calls)
        except (StoreUnavailable, StoreUnsuitable) as error:
            return [error] * len(calls)

    def _withdraw(
        self, steps: Sequence[Sequence[Packed]], answers: list[Answer], error: TooFewReplicas
    ) -> list[Answer]:
        """Take back what is new. Who is called already is: the replicas have that claim."""
        rows = list(chain.from_iterable(steps))
        new = [row.id for row, answer in zip(rows, answers, strict=True) if answer == "new"]
        fates = self._take_back(new, str(error))
        with suppress(StoreUnavailable):
            self._replicas.look()  # the next request may meet another master
        return [
            answer if answer not in {"new", "same"} or fates.get(row.id) == "calling" else error
            for row, answer in zip(rows, answers, strict=True)
        ]

    def _take_back(self, ids: Sequence[str], why: str) -> Mapping[str, str]:
        """Return `gone`, `calling` or `kept` (for others) of each job. A claim that is waiting for
        replicas is given back soon, too.
        """
        fates, left = dict.fromkeys(ids, ""), list(ids)
        for _ in range(round(PATIENCE / PAUSE)):
            found = self._run("withdraw", ids=left, why=why)  # of none: holds all calls
            fates |= zip(left, (fate.decode() for fate in found), strict=True)
            left = [id_ for id_ in left if fates[id_] == "dialing"]
            if not left:
                break
            self._sleep(PAUSE)
        return {id_: "calling" if fate == "dialing" else fate for id_, fate in fates.items()}


def _calls(following: Sequence[Following], steps: Sequence[Sequence[Packed]]) -> Iterator[Call]:
    """Yield what follows; nothing follows nothing."""
    if steps:
        rows = list(chain.from_iterable(steps))
        yield from (each.call(rows) for each in following)


def _steps(rows: Iterable[Packed]) -> Iterator[list[Packed]]:
    """Yield rows in steps; the first are short, so that Redis has something to do at once."""
    coming, size = iter(rows), FIRST
    while step := list(islice(coming, size)):
        yield step
        size = min(2 * size, AT_ONCE)


def _flat(steps: Sequence[Sequence[Packed]], answers: Sequence[Any]) -> list[Answer]:
    """Return what became of each row, from what each step answered."""
    return [one for rows, each in zip(steps, answers, strict=True) for one in _each(each, rows)]


def _each(answer: list[bytes] | Exception, rows: Sequence[Packed]) -> list[Answer]:
    if isinstance(answer, Exception):
        return [answer] * len(rows)
    return [text.decode() for text in answer]


def as_list(rows: Sequence[Packed]) -> str:
    """Return packed requests as the operations take them."""
    return f"[{','.join(row.text for row in rows)}]"
