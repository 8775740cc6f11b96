"""Claims of a single job, and takes, as tests make them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from dispatcher.model.states import State
from dispatcher.store import Store, codec
from dispatcher.store.connection import milliseconds
from dispatcher.store.errors import TooFewReplicas
from dispatcher.store.values import Claim, Hours, Taken
from support.own_operations import with_operation


@dataclass(frozen=True)
class Wait:
    """Not yet: the limiter has room in so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Day:
    """The day that spending limits count is to be set first."""

    zone: str


Answer = Claim | Wait | Hours | Day | State | None


def take(store: Store, most: int = 100, **how: Any) -> list[str]:
    """Take up to so many jobs as a worker does; return the ids of those that were claimed."""
    return [claim.job.id for claim in taken(store, most, **how).claims]


def taken(store: Store, most: int = 100, *, token: str = "", **how: Any) -> Taken:
    """Take up to so many jobs as a worker does, with a token nobody else uses."""
    return store.queue.take(most, token=token or fresh_token(), **{"lease": 30, **how})


def fresh_token() -> str:
    return random.randbytes(8).hex()


def claim_one(
    store: Store, id_: str, *, token: str, lease: float, replicas: int = 0, **how: Any
) -> Answer:
    """Claim a job whether or not it is its turn; a State is one in which there is nothing to do,
    None: there is no such job. Raises TooFewReplicas as `take` does.
    """
    connection = with_operation(store, "claim_one")
    reckoning = connection.reckoning
    arguments = {"actor": "worker", **how, **reckoning.arguments()}
    try:
        answer = connection.run(
            "claim_one",
            replicas=replicas,
            id=id_,
            token=token,
            lease=milliseconds(lease),
            **arguments,
        )
    except TooFewReplicas as error:
        claimed = _answer(id_, error.answers[0])
        error.answers = [claimed]
        raise
    if isinstance(answer, list) and len(answer) == 4:
        reckoning.tell(answer[3])
    return _answer(id_, answer)


def _answer(id_: str, answer: Any) -> Answer:
    if isinstance(answer, bytes):
        return None if answer == b"gone" else State(answer.decode())
    kind, first, *rest = answer
    if kind == b"wait":
        return Wait(float(first) / 1000)
    if kind == b"day":
        return Day(first.decode())
    job = codec.job(id_, codec.record_of_json(rest[0]))
    return Hours(job, first.decode()) if kind == b"hours" else Claim(job, first, 0, kind.decode())
