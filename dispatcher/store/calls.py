"""Calls: what became of them, when they are looked at next, how long they last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dispatcher.model.call import Leg
from dispatcher.model.decision import Decision
from dispatcher.model.states import State
from dispatcher.store import codec
from dispatcher.store.connection import Connection, Repository, milliseconds
from dispatcher.store.errors import TooFewReplicas, plain_errors
from dispatcher.store.limiter import Limiter
from dispatcher.store.schema import Field

CallbackWord = Literal["came", "due"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of attempt number `attempt` of a job, and who says so; see `Calls.settle`.

    `traceparent`: the trace that the job belongs to from now on.
    """

    id: str
    attempt: int
    decision: Decision
    actor: str = "worker"
    token: str | None = None
    callback: CallbackWord | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """Whether an answer came in time to change its job, and the job's state; None: it is gone, or
    `damaged`, and the answer is not written.
    """

    in_time: bool
    state: State | None
    damaged: bool = False


class Calls(Repository):
    """The attempts that were claimed, from their request to their cost."""

    def __init__(self, connection: Connection, limiter: Limiter) -> None:
        super().__init__(connection)
        self._limiter = limiter

    def settle(
        self,
        id_: str,
        attempt: int,
        decision: Decision,
        *,
        actor: str = "worker",
        token: str | None = None,
        replicas: int = 0,
        callback: CallbackWord | None = None,
    ) -> State | None:
        """Write what became of an attempt; return the job's state, or None where it is gone.

        What comes too late to change the job is kept with the attempt, and changes nothing else.
        With the `token` of its claim nothing is written where the job knows nothing of that claim.
        `callback`: it came by one, or one is due for the call that has ended.
        Raises TooFewReplicas where it is written, but not on so many replicas.
        """
        answer = Answer(id_, attempt, decision, actor, token, callback)
        try:
            (settled,) = self.settle_many([answer], replicas=replicas)
        except TooFewReplicas as error:
            error.answers = [each.state for each in error.answers]
            raise
        return settled.state

    def settle_many(self, answers: Sequence[Answer], *, replicas: int = 0) -> list[Settled]:
        """Write what became of attempts, each judged by itself, in one step; return what that did.

        Raises TooFewReplicas where it is written, but not on so many replicas: its `answers` are
        what it did.
        """
        for decision in (each.decision for each in answers):
            if decision.throttled is not None:
                booked = decision.sent.booked if decision.sent else ""
                self._limiter.throttle(
                    decision.throttled, told=decision.wait_told, booked=booked, counts=False
                )
        try:
            rows = [as_row(each) for each in answers]
            told = self._run("settle", replicas=replicas, answers=rows)
        except TooFewReplicas as error:
            error.answers = [_settled(each) for each in error.answers[0]]
            raise
        return [_settled(each) for each in told]

    def rescue(self, window: float, most: int = 200) -> int:
        """Recover jobs whose worker's lease ran out; `window` is the evidence window in seconds."""
        return int(self._run("rescue", most=most, window=milliseconds(window)))

    # -- status checks ---------------------------------------------------------------------

    def take_due(
        self, what: State | Literal["cost"], *, most: int = 100, lease: float = 60
    ) -> list[str]:
        """Take jobs in `in_progress` or `uncertain` whose next moment has come.

        `cost` takes ended jobs whose cost is to be looked for.
        """
        ids = self._run("take_due", what=what, most=most, lease=milliseconds(lease))
        return [id_.decode() for id_ in ids]

    def reschedule_check(
        self,
        id_: str,
        attempt: int,
        delay: float,
        status: str = "",
        legs: Sequence[Leg] = (),
        *,
        reported: bool = False,
    ) -> bool:
        """Set when a call in progress is checked next, in seconds; False where it is over.

        `status` (the provider's word) and `legs` are what the last check told, if anything;
        `reported`: a callback came for the call.
        """
        return bool(
            self._run(
                "reschedule_check",
                id=id_,
                attempt=attempt,
                delay=milliseconds(delay),
                status=status or None,
                reported=reported,
                participants=codec.legs_text(legs) or None,
            )
        )

    def schedule_cost_check(self, id_: str, attempt: int, delay: float | None) -> bool:
        """Set when the cost of an ended job is looked for again, in seconds; None: not any more.

        False where the job's cost is known, or nobody waits for it.
        """
        again = None if delay is None else milliseconds(delay)
        return bool(self._run("schedule_cost_check", id=id_, attempt=attempt, delay=again))

    # -- how long they last ----------------------------------------------------------------

    def learn_duration(self, kind: str, lasted: float) -> float:
        """Learn from a call that lasted so many seconds; return what is typical of its kind now."""
        return (
            float(self._run("learn_typical_duration", kind=kind, lasted=milliseconds(lasted)))
            / 1000
        )

    def typical_duration(self, kind: str) -> float | None:
        """Return in how many seconds most calls of a kind are over, None before any was seen."""
        with plain_errors():
            found: bytes | None = self._redis.hget(self._key("typical_durations"), kind)  # type: ignore[assignment]
        return float(found) / 1000 if found else None


def as_row(answer: Answer) -> dict[str, Any]:
    """Return an answer as the operation takes it: what is not said is left out."""
    decision = answer.decision
    of_attempt, of_job = codec.decision_fields(decision)
    if answer.traceparent:
        of_job[Field.TRACEPARENT] = answer.traceparent
    row = {
        "id": answer.id,
        "attempt": answer.attempt,
        "token": answer.token,
        "callback": answer.callback,
        "to": decision.to,
        "reason": decision.reason or None,
        "delay": None if decision.delay is None else milliseconds(decision.delay),
        "spent": decision.spent or None,
        "actor": answer.actor,
        "why": decision.why or None,
        "hold": decision.hold or None,
        "required": None if decision.required is None else float(decision.required),
        "proves": ",".join(decision.proves) or None,
        "failure": decision.failure,
        "language": decision.refused_language or None,
        "throttled": decision.throttled is not None or None,
        "attempt_fields": of_attempt,
        "job_fields": of_job or None,
        **_of_request(decision),
    }
    return {name: value for name, value in row.items() if value is not None}


def _of_request(decision: Decision) -> dict[str, Any]:
    """Return how its request went; the limiter has been told of one that was refused."""
    if decision.sent is None or decision.throttled is not None:
        return {}
    sent = decision.sent
    return {"booked": sent.booked, "late": sent.late * 1000, "took": sent.took * 1000}


def _settled(answer: list[bytes]) -> Settled:
    what, state = answer
    found = State(state.decode()) if state else None
    return Settled(what == b"moved", found, damaged=what == b"damaged")
