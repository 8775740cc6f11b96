"""An hour of an account of 0.2.0, and what that version answers about it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.api_key import Scope
from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.call import CallRef, CallReport
from dispatcher.model.decision import Decision
from dispatcher.model.filters import Filter
from dispatcher.model.outcome import Outcome
from dispatcher.model.request import JobRequest
from dispatcher.model.states import State
from dispatcher.store import Store
from dispatcher.store.callbacks import Callback
from dispatcher.store.holds import PauseScope
from dispatcher.store.redis_url import connect
from dispatcher.store.spending import Period, SpendingLimit
from dispatcher.store.values import Claim, Day, Wait
from dispatcher.values.rate import Rate
from support.clock import Clock

JOBS = 250
NUMBERS = [f"+8180{n:08}" for n in range(1234500, 1234540)] + ["+12125550123", "+441214960123"]
LONG = "The pump of the northern reservoir has failed, and the water rises: please go there now. 水"


class Play:
    """An hour of an account: jobs come, are called, and end in all the ways there are."""

    def __init__(self, url: str) -> None:
        self.rng = Random(20)
        self.clock = Clock()
        client = connect(url)
        self.store = Store(client, namespace="second", clock=self.clock)
        self.client = client
        self.keyed: list[dict[str, Any]] = []
        self.under_way: list[tuple[str, int, str]] = []

    def run(self) -> None:
        self.begin()
        for n in range(JOBS):
            self.ask(n)
            if n % 8 == 7:
                self.work()
        for _ in range(80):
            self.work()
        self.end()

    def begin(self) -> None:
        self.store.limiter.publish(
            AccountConfig(
                rate=Rate(20), webhooks=2, floor=50, warn=(50_000,), zone="Asia/Tokyo", gap=5
            )
        )
        right = self.store.budget.take_check(lease=60, now=True)
        self.store.budget.note_balance(Decimal(40_000), right, 300)
        self.store.api_keys.create("crm", {Scope.ENQUEUE}, actor="ann", note="orders")
        old, _ = self.store.api_keys.create("old", {Scope.READ}, actor="ann")
        self.store.api_keys.revoke(old.id, actor="ann", note="left")
        for scope in ("tag:oncall", "client:crm"):
            limit = SpendingLimit(scope, Decimal(90_000), Period.DAY)
            self.store.spending.set(limit, actor="ann", note="enough")

    def ask(self, n: int, **more: Any) -> str:
        draw = self.rng.random
        fields: dict[str, Any] = {"recipient": self.rng.choice(NUMBERS), "say": f"Order {n}"}
        fields["priority"] = self.rng.choice(["urgent", "normal", "normal", "bulk"])
        tags = [self.rng.choice(["campaign:spring", "campaign:spring-sale"])]
        fields["tags"] = (tags if draw() < 0.4 else []) + (["oncall"] if draw() < 0.3 else [])
        if draw() < 0.2:
            fields["say"] = LONG
        if draw() < 0.2:
            fields["key"] = f"order-{n}"
        if draw() < 0.1:
            fields["max_attempts"] = 3
            fields["webhook"] = "https://example.com/told/of/a/job/by/a/long/path/that/is/cut"
        if draw() < 0.1:
            del fields["recipient"], fields["say"]
            fields["participants"] = self.rng.sample(NUMBERS, 2)
        fields |= more
        timed = {"at": timedelta(hours=3)} if draw() < 0.1 else {}
        timed |= {"expires": timedelta(seconds=40)} if draw() < 0.1 and not timed else {}
        request = JobRequest.of({**fields, **timed})
        actor, scope = self.rng.choice([("crm", "crm\0"), ("producer", ""), ("night_watch", "")])
        id_: str = self.store.jobs.enqueue(request, actor=actor, scope=scope).id
        if "key" in fields and not timed:
            self.keyed.append({"fields": fields, "actor": actor, "scope": scope, "id": id_})
        return id_

    # -- what workers do ---------------------------------------------------------------------

    def work(self) -> None:
        self.store.queue.pump()
        self.store.calls.rescue(window=3600)
        for id_, _ in self.store.queue.feed(12):
            self.dial(id_)
        self.clock.forward(5)
        left = self.under_way[:3]
        for id_, attempt, callid in self.under_way[3:]:
            self.hear(id_, attempt, callid)
        self.under_way = left

    def dial(self, id_: str) -> None:
        token = self.rng.randbytes(8).hex()
        for _ in range(20):
            made = self.store.queue.claim(id_, token=token, lease=30, provider="sandbox")
            if isinstance(made, Claim):
                self.answer(id_, made)
                return
            if isinstance(made, Day):
                self.store.spending.begin_day(made.zone)
            elif isinstance(made, Wait):
                self.clock.forward(made.seconds + 0.001)
            else:
                return

    def answer(self, id_: str, made: Any) -> None:
        draw = self.rng.random()
        if draw < 0.05:
            return  # the worker dies
        if draw < 0.10:
            decision = Decision(
                State.FAILED, "invalid_request", "no such number", "invalid_request"
            )
        elif draw < 0.15:
            decision = Decision(State.UNCERTAIN, "maybe_placed", "read timeout", delay=7200)
        else:
            ids = tuple(self.rng.randbytes(6).hex() for _ in made.job.numbers)
            conference = "conference-1" if len(ids) > 1 else ""
            decision = Decision(
                State.IN_PROGRESS, "placed", "", delay=900, call=CallRef(ids, conference)
            )
            self.under_way.append((id_, made.attempt, ids[0]))
        self.store.calls.settle(id_, made.attempt, decision)

    def hear(self, id_: str, attempt: int, callid: str) -> None:
        draw = self.rng.random()
        if draw < 0.6:
            report = CallReport(Outcome.ANSWERED, "ANSWERED", callid, Decimal("19.5"), 12.0)
            decision = Decision(State.COMPLETED, "answered", "ANSWERED", report=report)
        elif draw < 0.8:
            report = CallReport(Outcome.NO_ANSWER, "NO ANSWER", callid, Decimal(0))
            decision = Decision(State.SCHEDULED, "no_answer", "rang", delay=60, report=report)
        elif draw < 0.9:
            report = CallReport(Outcome.ANSWERED, "ANSWERED", callid)
            decision = Decision(
                State.COMPLETED, "answered", "ANSWERED", report=report, cost_check_after=9000
            )
        else:
            report = CallReport(Outcome.CALL_FAILED, "FAILED", callid, Decimal(0))
            decision = Decision(State.FAILED, "call_failed", "FAILED", "call_failed", report=report)
        self.store.calls.settle(id_, attempt, decision, actor="callback")

    # -- how it ends ---------------------------------------------------------------------------

    def end(self) -> None:
        """Leave something of everything, then let all leases end."""
        self.people_act()
        self.store.limiter.throttle(1.0)
        self.calls_are_held()
        for n in range(30):
            self.ask(2000 + n, tags=["campaign:summer"], priority="bulk")
            self.clock.forward(1)
        self.reports_wait()
        self.clock.forward(300)

    def people_act(self) -> None:
        store = self.store
        failed = [job.id for job in store.search.find(Filter(states=[State.FAILED]))]
        unsure = list(store.search.find(Filter(states=[State.UNCERTAIN])))[:3]
        nobody_knows = Decision(State.FAILED, "outcome_unknown", "no word", "outcome_unknown")
        for job in unsure:
            store.calls.settle(job.id, len(job.attempts), nobody_knows)
        store.jobs.mark_reached(unsure[0].id, actor="bob", note="came in person")
        waits = self.ask(1000, priority="bulk")
        store.jobs.cancel(waits, actor="ann", note="not needed")
        for most in (3, 100):
            action = store.bulk.create(
                store.bulk.preview(BulkActionKind.RETRY, failed[1:6], expires=90_000)
            )
            store.bulk.begin(action, actor="ann", note="once more")
            store.bulk.advance(action, most)
        store.bulk.create(store.bulk.preview(BulkActionKind.CANCEL, failed[:2]))
        store.audit.record("bob", "balance.check", "account", credits=12.5)

    def calls_are_held(self) -> None:
        urgent = {"priority": "urgent"}
        self.clock.forward(10)
        for n in range(4):
            self.store.queue.claim(self.ask(5000 + n, **urgent), token="dies", lease=30)
        self.clock.forward(10)
        for n in range(6):
            self.ask(3000 + n, tags=["oncall"], **urgent)
        self.store.queue.feed(3)
        self.store.holds.pause(PauseScope(tag="oncall"), actor="bob", note="until Monday")
        self.store.queue.feed(100)
        self.store.holds.start("credit", "Not enough credits", 50, refused=True)
        for n in range(6):
            self.ask(4000 + n, tags=[], **urgent)
        self.store.queue.feed(6)

    def reports_wait(self) -> None:
        told = [
            Callback.of(
                id_, attempt, CallReport(Outcome.ANSWERED, "ANSWERED", callid, Decimal(18), 9.0)
            )
            for id_, attempt, callid in self.under_way
        ]
        self.store.callbacks.receive(told, {"callbacks.received": len(told)})
        self.store.webhooks.take_events()
        for n, id_ in enumerate(self.store.webhooks.take(60)):
            if self.store.webhooks.claim(id_, 60) and n % 3:
                self.store.webhooks.settle(id_, "dead" if n % 3 == 1 else "done", error="HTTP 410")


def expected(play: Play) -> dict[str, Any]:
    """Return what 0.2.0 answers about its store."""
    store = play.store
    jobs = list(store.search.find(Filter()))
    states = sorted({str(job.state) for job in jobs})
    wanted: list[dict[str, Any]] = [{"states": [state]} for state in states]
    wanted += [{"tag": tag} for tag in ("oncall", "campaign:spring", "campaign:summer")]
    wanted += [{"recipient": end} for end in ("123", "34507", NUMBERS[0], "0123")]
    wanted += [{"producer": "crm", "states": ["completed"]}]
    credit = store.budget.credit()
    return {
        "jobs": [job.to_dict() for job in jobs],
        "keyed": play.keyed,
        "calls": {c: job.id for job in jobs for each in job.attempts for c in each.callids},
        "searches": [
            [one, [id_ for ids in store.search.find_ids(Filter(**one)) for id_ in ids]]
            for one in wanted
        ],
        "counts": store.search.counts(),
        "credit": [str(credit.balance), str(credit.spent), str(credit.in_flight)],
        "limits": [limit.to_dict() for limit in store.spending.limits()],
        "holds": [[hold.name, hold.since, hold.why] for hold in store.holds.all()],
        "audit": [entry.to_dict() for entry in store.audit.read(mask=False)],
        "actions": [each.to_dict() for each in store.bulk.recent()],
        "api_keys": [[key.id, key.name, str(key.revoked_at)] for key in store.api_keys.all()],
        "events": [[each.kind, each.facts] for each in store.events.after()],
        "webhooks": store.webhooks.counts(),
    }
