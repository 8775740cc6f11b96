"""Calls: what became of them, when they are looked at next, how long they last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dispatcher.model.states import State
from dispatcher.store.connection import Connection, Repository, milliseconds
from dispatcher.store.holds import Holds
from dispatcher.store.limiter import Limiter
from dispatcher.store.redis_url import plain_errors

if TYPE_CHECKING:
    from dispatcher.policy import Decision

_OF_ATTEMPT = frozenset({"callid", "conf", "cost", "legs"})


class Calls(Repository):
    """The attempts that were claimed, from their request to their cost."""

    def __init__(self, connection: Connection, limiter: Limiter, holds: Holds) -> None:
        super().__init__(connection)
        self._limiter, self._holds = limiter, holds

    def settle(
        self, id_: str, attempt: int, decision: Decision, *, actor: str = "worker"
    ) -> State | None:
        """Write what became of an attempt; return the job's state, or None where it is gone.

        What comes too late to change the job is kept with the attempt, and changes nothing else.
        """
        return self.settled(id_, attempt, decision, actor=actor)[1]

    def settled(
        self, id_: str, attempt: int, decision: Decision, *, actor: str
    ) -> tuple[bool, State | None]:
        """Do as `settle`; return also whether it came in time to change the job."""
        if decision.throttled is not None:
            self._limiter.throttle(decision.throttled)
        if decision.gate:
            self._holds.start(
                decision.gate, decision.why, float(decision.required or 0), refused=True
            )
        kept = [f"{attempt}.result", decision.result]
        for name, value in decision.fields.items():
            kept += [f"{attempt}.{name}" if name in _OF_ATTEMPT else name, value]
        if decision.to not in {State.IN_PROGRESS, State.COMPLETED}:
            kept += [f"{attempt}.error", decision.why]
        answer, state = self._run(
            "settle",
            id_,
            attempt,
            decision.to,
            decision.reason,
            "" if decision.delay is None else milliseconds(decision.delay),
            int(decision.spent),
            actor,
            decision.why,
            ",".join(decision.proves),
            decision.failure or "",
            *kept,
        )
        return answer == b"moved", State(state.decode()) if state else None

    def rescue(self, window: float, most: int = 200) -> int:
        """Recover jobs whose worker's lease ran out; `window` is the evidence window in seconds."""
        return int(self._run("rescue", most, milliseconds(window)))

    # -- status checks ---------------------------------------------------------------------

    def take_due(
        self, what: State | Literal["cost"], *, most: int = 100, lease: float = 60
    ) -> list[str]:
        """Take jobs in `in_progress` or `uncertain` whose next moment has come.

        `cost` takes ended jobs whose cost is to be looked for.
        """
        return [id_.decode() for id_ in self._run("take_due", what, most, milliseconds(lease))]

    def reschedule_check(
        self, id_: str, attempt: int, delay: float, status: str = "", legs: str = ""
    ) -> bool:
        """Set when a call in progress is checked next, in seconds; False where it is over.

        `status` and `legs` (see job.legs_text) are what the last check told, if anything.
        """
        return bool(self._run("put_off", id_, attempt, milliseconds(delay), status, legs))

    def schedule_cost_check(self, id_: str, attempt: int, delay: float | None) -> bool:
        """Set when the cost of an ended job is looked for again, in seconds; None: not any more.

        False where the job's cost is known, or nobody waits for it.
        """
        again = "" if delay is None else milliseconds(delay)
        return bool(self._run("owe", id_, attempt, again))

    # -- how long they last ----------------------------------------------------------------

    def learn_duration(self, kind: str, lasted: float) -> float:
        """Learn from a call that lasted so many seconds; return what is typical of its kind now."""
        return float(self._run("learn", kind, milliseconds(lasted))) / 1000

    def typical_duration(self, kind: str) -> float | None:
        """Return in how many seconds most calls of a kind are over, None before any was seen."""
        with plain_errors():
            found: bytes | None = self._redis.hget(self._account_key("usual"), kind)  # type: ignore[assignment]
        return float(found) / 1000 if found else None
