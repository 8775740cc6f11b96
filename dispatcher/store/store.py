"""The store: each public operation is one atomic step in Redis, by Redis' own clock."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import redis
from redis.commands.core import Script

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.call import Leg
from dispatcher.model.decision import Decision
from dispatcher.model.job import Job
from dispatcher.model.request import FURTHEST, JobRequest
from dispatcher.model.states import Priority, State
from dispatcher.store import codec, scripts
from dispatcher.store.redis_url import connect, plain_errors
from dispatcher.store.values import (
    Claim,
    Day,
    Enqueued,
    Gate,
    Hours,
    Outcome,
    Pace,
    Packed,
    Pumped,
    Refused,
    UnknownJob,
    Wait,
)
from dispatcher.values.calling_hours import Window

DEFAULT_NAMESPACE = "vd"
AT_ONCE = 50
"""Jobs written in one atomic step: a few milliseconds of Redis' time."""
LOST_AFTER = 15.0
"""Seconds after which a message that no worker took up is sent again: the broker holds about a
second of work, so that nothing honest waits so long."""

NAMED_BY_ID = frozenset({"cancelled", "expired"})
"""What a retry of many leaves out unless it is meant by name, and a job's id names."""

_LEFT_AFTER_429 = 0.7
"""What is left of the working rate after a 429: the real limit is not documented, and a fifth too
much is likelier than twice too much."""


def namespace_of(text: str) -> str:
    """Return what may stand before the names of an account's keys. Raises ValueError."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", text):
        raise ValueError("write 1 to 32 ASCII letters, digits, _ or -")
    return text


class Store:
    """Jobs in Redis.

    `clock` returns ms since the epoch and is for tests; without it every operation goes by
    Redis' own clock, so that the clocks of producers and workers do not matter.
    Operations raise StoreUnavailable where Redis cannot be asked; all of them may be repeated.
    """

    def __init__(
        self,
        client: redis.Redis,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.redis = client
        self.root = f"{{{namespace}}}"
        self._clock = clock
        self._scripts: dict[str, Script] = {}

    @classmethod
    def from_url(cls, url: str, *, namespace: str = DEFAULT_NAMESPACE) -> Store:
        """Return a store on the Redis at `url` (see redis_url.connect)."""
        return cls(connect(url), namespace=namespace)

    # -- producers -------------------------------------------------------------------------

    def enqueue(self, request: JobRequest, *, actor: str = "producer", scope: str = "") -> Enqueued:
        """Write a job, once for its key. Raises KeyConflict where the key has another request."""
        return self.enqueue_many([request], actor=actor, scope=scope)[0].unwrap()

    def enqueue_many(
        self, requests: Sequence[JobRequest], *, actor: str = "producer", scope: str = ""
    ) -> list[Outcome]:
        """Write jobs in one round trip; the outcomes are in the order of the requests."""
        rows = [codec.packed(request, scope) for request in requests]
        answers = self.enqueue_packed(rows, actor=actor)
        return [
            Outcome(row.id, request, answer)
            for row, request, answer in zip(rows, requests, answers, strict=True)
        ]

    def enqueue_packed(self, rows: Sequence[Packed], *, actor: str = "producer") -> list[str]:
        """Write packed requests in one round trip; return `new`, `same` or `other` for each."""
        script = self._script("enqueue")
        with plain_errors():
            pipe = self.redis.pipeline(transaction=False)
            for start in range(0, len(rows), AT_ONCE):
                some = ",".join(row.text for row in rows[start : start + AT_ONCE])
                script([self.root], self._arguments([actor, f"[{some}]"]), pipe)
            return [answer.decode() for some in pipe.execute() for answer in some]

    def standing(self, rows: Sequence[Packed]) -> list[str]:
        """Return what enqueue_packed would answer for each now; nothing is written."""
        if not rows:
            return []
        found = self.run("standing", *(text for row in rows for text in (row.id, row.fingerprint)))
        return [answer.decode() for answer in found]

    # -- the way of a job ------------------------------------------------------------------

    def feed(self, most: int = 100) -> list[tuple[str, Priority]]:
        """Choose the jobs a message goes out for now: `(id, priority)`, most deserving first."""
        flat = self.run("feed", most, _ms(LOST_AFTER))
        return [(flat[i].decode(), Priority(flat[i + 1].decode())) for i in range(0, len(flat), 2)]

    def claim(
        self, id_: str, *, token: str, lease: float, slot: str = "", actor: str = "worker"
    ) -> Claim | Wait | Hours | Day | State | None:
        """Take the right to make one request now, or learn why not.

        A State is one in which there is nothing to do, None means that there is no such job.
        `lease` is in seconds. The same `token` asks again for the same claim, should the first
        answer have been lost; `slot` is what a Wait reserved for it.
        """
        answer = self.run("claim", id_, token, _ms(lease), actor, slot)
        if isinstance(answer, bytes):
            return None if answer == b"gone" else State(answer.decode())
        kind, first, second = answer
        if kind == b"wait":
            return Wait(float(first) / 1000, second.decode())
        if kind == b"day":
            return Day(first.decode())
        job = codec.job(id_, codec.record(second))
        if kind == b"hours":
            return Hours(job, first.decode())
        return Claim(job, int(first), kind.decode())

    def admit(self, id_: str, window: Window | None, why: str, hours: str) -> State | None:
        """Set the window in which a queued job may be dialled; where none ever opens it fails.

        `hours` is the text it comes from: a window of hours that were changed since does not count.
        """
        opens, closes = (window.opens, window.closes) if window else (None, None)
        # Rounded up, a window that is open now would open a moment later.
        start = str(math.floor(opens.timestamp() * 1000)) if opens else ""
        moments = (start, codec.moment(closes))
        state = self.run("admit", id_, *moments, "worker", why, hours)
        return None if state == b"gone" else State(state.decode())

    # -- the limiter -----------------------------------------------------------------------

    def publish(self, rules: AccountConfig) -> None:
        """Make these the rules of the account, for every process and at once."""
        with plain_errors():
            pipe = self.redis.pipeline(transaction=True)
            pipe.delete(self.key("limits"))
            pipe.hset(self.key("limits"), items=_flat(rules.fields()))
            pipe.execute()

    def take_slot(self, holder: str, slot: str = "", *, probe: bool = False) -> Wait | None:
        """Ask for one request that is not a dial; None: go, and `give_back` the holder after.

        Only a `probe` goes out while the provider is down or refuses the account.
        """
        wait, reserved = self.run("slot", holder, slot, int(probe))
        return Wait(float(wait) / 1000, reserved.decode()) if float(wait) > 0 else None

    def give_back(self, holder: str) -> None:
        """Give back the connection of a request that take_slot let through."""
        self.run("give_back", holder)

    def rebook(self, booked: str) -> str:
        """Say that a request that was granted goes out only now; return its new booking."""
        return str(self.run("rebook", booked).decode())

    def throttle(self, wait: float) -> None:
        """Move the whole account's next request to `wait` seconds from now, and slow down."""
        self.run("throttle", _ms(wait), _LEFT_AFTER_429)

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
            self.throttle(decision.throttled)
        if decision.gate:
            self.close_gate(
                decision.gate, decision.why, float(decision.required or 0), refused=True
            )
        kept = codec.decision_fields(attempt, decision)
        answer, state = self.run(
            "settle",
            id_,
            attempt,
            decision.to,
            decision.reason,
            "" if decision.delay is None else _ms(decision.delay),
            int(decision.spent),
            actor,
            decision.why,
            ",".join(decision.proves),
            decision.failure or "",
            *kept,
        )
        return answer == b"moved", State(state.decode()) if state else None

    def put_off(
        self, id_: str, attempt: int, delay: float, status: str = "", legs: Sequence[Leg] = ()
    ) -> bool:
        """Set when a call in progress is looked at next, in seconds; False where it is over.

        `status` (the provider's word) and `legs` are what the last look told, if anything.
        """
        return bool(self.run("put_off", id_, attempt, _ms(delay), status, codec.legs_text(legs)))

    def owe(self, id_: str, attempt: int, look_again: float | None) -> bool:
        """Set when the cost of an ended job is looked for again, in seconds; None: not any more.

        False where the job owes none.
        """
        again = "" if look_again is None else _ms(look_again)
        return bool(self.run("owe", id_, attempt, again))

    def learn(self, kind: str, lasted: float) -> float:
        """Learn from a call that lasted so many seconds; return what is usual for its kind now."""
        return float(self.run("learn", kind, _ms(lasted))) / 1000

    def usual(self, kind: str) -> float | None:
        """Return in how many seconds most calls of a kind are over, None before any was seen."""
        with plain_errors():
            found: bytes | None = self.redis.hget(self.key("usual"), kind)  # type: ignore[assignment]
        return float(found) / 1000 if found else None

    # -- what time moves on ----------------------------------------------------------------

    def pump(self, most: int = 500) -> Pumped:
        """Move due jobs into line, overdue ones to their end, held ones out of opened gates."""
        return Pumped(*self.run("pump", most))

    def rescue(self, window: float, most: int = 200) -> int:
        """Recover jobs whose worker's lease ran out; `window` is the evidence window in seconds."""
        return int(self.run("rescue", most, _ms(window)))

    def take_due(
        self, what: State | Literal["cost"], *, most: int = 100, lease: float = 60
    ) -> list[str]:
        """Take jobs in `in_progress` or `uncertain` whose next moment has come.

        `cost` takes ended jobs whose cost is to be looked for.
        """
        return [id_.decode() for id_ in self.run("take_due", what, most, _ms(lease))]

    def purge(self, id_: str, before: float) -> bool:
        """Remove a job that ended before a moment (ms since the epoch), with all its traces."""
        return bool(self.run("purge", id_, round(before)))

    # -- people ----------------------------------------------------------------------------

    def cancel(self, id_: str, *, actor: str, why: str = "") -> None:
        """End a job that is not dialled yet. Raises UnknownJob, Refused."""
        self._act("cancel", id_, actor, why, "job {id} cannot be cancelled: it is {state}")

    def retry(
        self,
        id_: str,
        *,
        actor: str,
        why: str = "",
        expires: float | None = None,
        uncertain: bool = False,
    ) -> None:
        """Reopen a job that ended without reaching anybody. Raises UnknownJob, Refused.

        `expires` is the new deadline in seconds from now; left out, the first one's length.
        `uncertain`: also where a call may be under way, which nobody waits for any more.
        """
        wish: dict[str, Any] = {}
        if expires is not None:
            wish["span"] = deadline(expires)
        self._act(
            "retry",
            id_,
            actor,
            why,
            "job {id} cannot be retried: {remedy}",
            named=NAMED_BY_ID | ({"uncertain"} if uncertain else set()),
            **wish,
        )

    def mark_reached(self, id_: str, *, actor: str, why: str = "") -> None:
        """End a job of unknown outcome as a person knows. Raises UnknownJob, Refused."""
        refusal = (
            "job {id} cannot be marked as reached: it is {stands}, and only one whose outcome"
            " is unknown can"
        )
        self._act("reached", id_, actor, why, refusal)

    def prioritise(self, id_: str, priority: Priority, *, actor: str, why: str = "") -> None:
        """Give a job that is not dialled yet another priority. Raises UnknownJob, Refused."""
        refusal = "job {id} is {state}: its priority is past mattering"
        self._act("prioritise", id_, actor, why, refusal, priority=priority)

    def _act(
        self,
        act: str,
        id_: str,
        actor: str,
        why: str,
        refusal: str,
        *,
        named: Iterable[str] = (),
        **wish: Any,
    ) -> None:
        wish_ = json.dumps({"named": dict.fromkeys(named, True), **wish})
        answer = [text.decode() for text in self.run("act", act, id_, actor, why, wish_)]
        code, state, reason = answer
        if code == "gone":
            raise UnknownJob(id_)
        if code:
            remedy = _REMEDIES.get(code, f"it is {state}, not ended")
            stands = f"{state}/{reason}" if reason else state
            raise Refused(refusal.format(id=id_, state=state, stands=stands, remedy=remedy))

    # -- gates -----------------------------------------------------------------------------

    def close_gate(
        self,
        name: str,
        why: str,
        required: float = 0,
        *,
        refused: bool = False,
        actor: str = "",
        note: str = "",
    ) -> bool:
        """Close a gate for the whole account; True where it was open.

        `refused`: the provider itself said no, so that one job tries before all are let go.
        `actor` is the person who closes it, if one does, and `note` that person's words.
        """
        return bool(self.run("close_gate", name, why, required, int(refused), actor, note))

    def open_gate(self, name: str, why: str = "", *, actor: str = "") -> bool:
        """Open a gate; what it held is released by the next pump. True where it was closed."""
        return bool(self.run("open_gate", name, why, actor))

    def gates(self) -> list[Gate]:
        """The closed gates."""
        with plain_errors():
            found: dict[bytes, bytes] = self.redis.hgetall(self.key("gates"))  # type: ignore[assignment]
        return sorted(
            (_gate(name.decode(), text) for name, text in found.items()), key=lambda g: g.name
        )

    # -- looking ---------------------------------------------------------------------------

    def get(self, id_: str) -> Job:
        """Return a job. Raises UnknownJob."""
        job = self.get_many([id_])[0]
        if job is None:
            raise UnknownJob(id_)
        return job

    def get_many(self, ids: Iterable[str]) -> list[Job | None]:
        """Return jobs in the order of their ids, None for those that are gone."""
        wanted = list(ids)
        with plain_errors():
            pipe = self.redis.pipeline(transaction=False)
            for id_ in wanted:
                pipe.hgetall(self.key("job", id_))
            records = [codec.record(raw) for raw in pipe.execute()]
            for id_, record in zip(wanted, records, strict=True):
                pipe.zscore(self.key("next", record.get("state", "")), id_)
            moments = pipe.execute()
        return [
            codec.job(id_, record, at) if "state" in record else None
            for id_, record, at in zip(wanted, records, moments, strict=True)
        ]

    def position(self, id_: str) -> tuple[int, float, float] | None:
        """Return how many go before a queued job, seconds between two, and until the next slot."""
        found = self.run("position", id_)
        if found is None:
            return None
        before, spacing, until_slot = found
        return int(before), float(spacing) / 1000, float(until_slot) / 1000

    def pace(self) -> Pace:
        """Return where the limiter and the lines stand."""
        rate, working, next_slot, connections, *lines, fed = self.run("pace")
        by_priority = list(zip(Priority, lines[::2], lines[1::2], strict=True))
        return Pace(
            rate=float(rate) if rate else None,
            working_rate=float(working) if working else None,
            next_slot=float(next_slot) / 1000,
            connections=int(connections),
            ready={priority: ready for priority, ready, _ in by_priority},
            lines={priority: number for priority, _, number in by_priority},
            fed=int(fed),
        )

    def oldest(self) -> dict[Priority, float | None]:
        """Return since when (ms since the epoch) the longest waiting job is due, by priority.

        It is ready or held; None: none is.
        """
        found = self.run("oldest")
        return {p: float(at) if at else None for p, at in zip(Priority, found, strict=True)}

    def job_of_call(self, callid: str) -> str | None:
        """Return the id of the job that a call belongs to."""
        bucket = hashlib.sha1(callid.encode(), usedforsecurity=False).hexdigest()[:4]
        with plain_errors():
            found: bytes | None = self.redis.hget(self.key("calls", bucket), callid)  # type: ignore[assignment]
        return found.decode() if found else None

    def counts(self) -> dict[str, int]:
        """Return what is counted for good, such as `second_calls`; what never happened is 0."""
        with plain_errors():
            found: dict[bytes, bytes] = self.redis.hgetall(self.key("counts"))  # type: ignore[assignment]
        return {"second_calls": 0} | {name.decode(): int(n) for name, n in found.items()}

    def ping(self) -> None:
        """Raise StoreUnavailable where Redis does not answer."""
        with plain_errors():
            self.redis.ping()

    def now(self) -> float:
        """Return Redis' clock (or the injected one) in ms since the epoch."""
        if self._clock:
            return self._clock()
        with plain_errors():
            second, microsecond = self.redis.time()
        return float(second * 1000 + microsecond / 1000)

    # -- below -----------------------------------------------------------------------------

    def key(self, *parts: str) -> str:
        """Return the name of a key; `store/lua/_record.lua` lists them."""
        return ":".join((self.root, *parts))

    def _script(self, operation: str) -> Script:
        script = self._scripts.get(operation)
        if script is None:
            script = self._scripts[operation] = self.redis.register_script(
                scripts.source(operation)
            )
        return script

    def _arguments(self, arguments: Iterable[Any]) -> list[Any]:
        return [self._clock() if self._clock else "", *arguments]

    def run(self, operation: str, *arguments: Any) -> Any:
        """Run an operation of store/lua; for the modules beside this one."""
        with plain_errors():
            return self._script(operation)([self.root], self._arguments(arguments))


_REMEDIES = {
    "reached": "it was reached",
    "uncertain": "it is uncertain: a call may be under way. Wait until that is known, mark it as"
    " reached, or say that it is to be redialled now (--uncertain)",
}


def _gate(name: str, text: bytes) -> Gate:
    facts = json.loads(text)
    ajar = facts.get("ajar", False)
    return Gate(name, facts["since"], facts["why"], facts.get("required", 0), ajar)


def deadline(seconds: float) -> int:
    """Return a new deadline, in seconds from now, as the scripts take it. Raises Refused."""
    if not 0 < seconds <= FURTHEST.total_seconds():
        raise Refused(f"a deadline {seconds:g} s from now is not within {FURTHEST.days} days")
    return _ms(seconds)


def _flat(fields: dict[str, str]) -> list[Any]:
    return [text for pair in fields.items() for text in pair]


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
