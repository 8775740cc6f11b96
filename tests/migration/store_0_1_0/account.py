"""What happens to the account that day: money, gates, limits, keys, acts, webhooks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from dispatcher.request import JobRequest
from dispatcher.states import Priority, State
from dispatcher.store.credit import look_soon
from dispatcher.store.filters import Filter
from dispatcher.store.keys import ApiKeys, Quota
from dispatcher.store.keys import Scope as KeyScope
from dispatcher.store.outbox import Outbox, Webhook
from dispatcher.store.pauses import Scope, pause, resume
from producers import CAMPAIGNS
from rules import RULES
from workers.gateway.console.attempts import Attempts

import provider as says
from dispatcher import acts
from dispatcher.store import audit
from dispatcher.store.spending import Limit, Period, clear_limit, set_limit
from workers.gateway.console.sessions import Sessions
from workers.webhooks.verdict import judge
from workers.webhooks.wire import Reply

if TYPE_CHECKING:
    from history import History

BAD = Reply(503, "HTTP 503: try again later", 0.2)
GONE = Reply(410, "HTTP 410", 0.2)
GOOD = Reply(200, "", 0.3)


class Account:
    def __init__(self, play: History) -> None:
        self.play, self.store = play, play.store
        self.rng = Random(5)
        self.keys = ApiKeys(self.store)
        self.outbox = Outbox(self.store)
        self.scope = ""
        self._to_come: list[tuple[float, Any]] = []

    def begin(self) -> None:
        store, day = self.store, Period.DAY
        self.crm, _ = self.keys.create(
            "crm", {KeyScope.ENQUEUE}, quota=Quota(1000, 3600), actor="ann", note="orders"
        )
        self.ops, _ = self.keys.create("ops", {KeyScope.OPERATE}, actor="ann")
        old, _ = self.keys.create("trainee", {KeyScope.READ}, actor="ann")
        end = self.ops.created_at + timedelta(days=90)
        self.keys.create("audit", {KeyScope.READ, KeyScope.ENQUEUE}, expires_at=end)
        self.keys.revoke(old.id, actor="ann", why="left")
        self.scope = f"{self.crm.name}\0"
        set_limit(store, Limit("tag:monitoring", Decimal(140_000), day), actor="ann", note="enough")
        set_limit(store, Limit("client:crm", Decimal(190_000), Period.TOTAL), actor="ann")
        set_limit(store, Limit("client:nobody", Decimal(1), day), actor="ann")
        clear_limit(store, "client:nobody", actor="ann", note="a mistake")
        self._to_come = [
            (0.15, self.run_out), (0.20, self.top_up), (0.30, self.lock_out),
            (0.31, self.let_in), (0.42, self.break_down), (0.44, self.mend), (0.52, self.stop_all),
            (0.54, self.go_on), (0.60, self.retry_many), (0.70, self.cancel_many),
            (0.75, self.stop_early), (0.80, self.look),
        ]  # fmt: skip

    def at(self, part: float) -> None:
        """Do what comes at this part of the day."""
        while self._to_come and self._to_come[0][0] <= part:
            self._to_come.pop(0)[1]()

    # -- money and gates ---------------------------------------------------------------------

    def run_out(self) -> None:
        self.play.provider.balance = Decimal(700)

    def top_up(self) -> None:
        self.play.provider.balance = Decimal(140_000)
        look_soon(self.store)

    def lock_out(self) -> None:
        self.play.provider.outage = says.bad_credentials()

    def let_in(self) -> None:
        self.play.provider.outage = None

    def break_down(self) -> None:
        self.play.provider.outage = says.no_route()

    mend = let_in

    def stop_all(self) -> None:
        pause(self.store, Scope(), actor="bob", note="the siren is tested")
        pause(self.store, Scope(tag="oncall"), actor="bob")

    def go_on(self) -> None:
        resume(self.store, Scope(), actor="bob", note="it is over")
        resume(self.store, Scope(tag="oncall"), actor="ann")

    def look(self) -> None:
        left = self.play.watch.look_now()
        audit.record(self.store, "ann", "balance.look", "account", credits=float(left))

    # -- acts on many jobs ---------------------------------------------------------------------

    def _propose(self, act: acts.Act, **wanted: Any) -> str:
        options = {k: wanted.pop(k) for k in ("expires", "uncertain", "priority") if k in wanted}
        seen = acts.preview(self.store, act, Filter(**wanted), **options)
        return acts.propose(self.store, seen)

    def retry_many(self) -> None:
        id_ = self._propose(
            acts.Act.RETRY, states=(State.FAILED,), reason="no_answer", expires=9000
        )
        acts.begin(self.store, id_, actor="ann", why="they may be at home now")
        acts.drive(self.store, id_, sleep=lambda _: None)

    def cancel_many(self) -> None:
        id_ = self._propose(acts.Act.CANCEL, states=(State.SCHEDULED,), tag="shop")
        acts.begin(self.store, id_, actor="console:ops", why="")
        acts.drive(self.store, id_, sleep=lambda _: None)

    def stop_early(self) -> None:
        id_ = self._propose(acts.Act.REACHED, reason="outcome_unknown")
        acts.begin(self.store, id_, actor="bob", why="all of them came in person")
        acts.advance(self.store, id_, 3)
        acts.stop(self.store, id_, actor="bob", why="not all of them")

    # -- webhooks ------------------------------------------------------------------------------

    def deliver(self) -> None:
        """Deliver most; the second target has trouble for a while, and loses some for good."""
        self.outbox.take_notices()
        for _ in range(5):
            for id_ in self.outbox.take(lease=60):
                webhook = self.outbox.claim(id_, 60)
                if webhook is not None:
                    self._settle(id_, webhook)

    def _settle(self, id_: str, webhook: Webhook) -> None:
        age = (self.store.now() - webhook.since) / 1000
        bad = webhook.target == "2" and self.play.nearly_over
        reply = BAD if bad else GONE if self.rng.random() < 0.003 else GOOD
        verdict = judge(
            reply, tries=webhook.tries, failures=webhook.failures, age=age, random=self.rng
        )
        self.outbox.settle(
            id_, verdict.what, delay=verdict.delay, pause=verdict.pause, slow=verdict.slow,
            error=verdict.error,
        )  # fmt: skip

    # -- how it ends -----------------------------------------------------------------------------

    def end(self) -> None:
        """Leave something of everything, then let everything stop."""
        self.people_at_work()
        self.limits_reached()
        self.lost_calls()
        self.gates_closed()
        self.under_way()
        self.play.clock.forward(300)  # nothing runs any more: leases are over
        for _ in range(3):
            Attempts(self.store).failed("192.0.2.7")

    def people_at_work(self) -> None:
        id_ = self._propose(acts.Act.RETRY, states=(State.FAILED, State.EXPIRED), expires=7200)
        acts.begin(self.store, id_, actor="ann", why="once more")
        acts.advance(self.store, id_, 60)
        self._propose(acts.Act.PRIORITISE, tag="oncall", priority=Priority.URGENT)
        sessions = Sessions(self.store, self.keys, 1800, 43_200)
        sessions.open(self.ops)
        self.keys.take(self.crm, 400)

    def limits_reached(self) -> None:
        """Two limits are reached by jobs about to be dialled; a third was, and is raised."""
        set_limit(self.store, Limit("tag:oncall", Decimal(1), Period.TOTAL), actor="ann")
        set_limit(self.store, Limit("client:limited", Decimal(2), Period.DAY), actor="ann")
        for _ in range(12):
            self._ask("limited")
            self.play.producers.switchboard("")
        for _ in range(8):
            self.play.feed()
        self.store.publish(replace(RULES, spend_per_day=1))
        for _ in range(20):
            self._ask("late")
        for _ in range(4):
            self.play.feed()
        self.store.publish(RULES)
        self.store.pump(1)
        self.store.pump(1)

    def lost_calls(self) -> None:
        """Leave calls of which nobody knows, workers that died, and messages that are out."""
        for fate in ("killed", "lost", "killed_placed", "lost_placed", "trouble", "unavailable"):
            self._ask("unlucky", priority="urgent", evidence_window="1h")
            self.play.provider.next_fate = fate
            for id_, _ in self.store.feed(1):
                self.play.dial_one(id_)
            self.play.clock.forward(1)
        for _ in range(3):
            self._ask("called", priority="urgent")
        self.store.feed(3)

    def gates_closed(self) -> None:
        """Close every kind of gate, with jobs behind each; one is ajar, and a job tries."""
        store, feed = self.store, self.store.feed
        store.close_gate("provider_down", "Unavailable (HTTP 503)")
        self._park("down")
        self.play.clock.forward(5)
        self.play.watch.look_now()  # it answers: ajar
        self.play.provider.next_fate = "killed"
        self._ask("trial", priority="urgent")
        for id_, _ in feed(1):
            self.play.dial_one(id_)
        for name in ("shop", "a,b"[:1]):
            pause(store, Scope(tag=name), actor="bob", note="until Monday, ask 09012345678")
            self._park("tagged", tags=[name])
        pause(store, Scope(priority=Priority.BULK), actor="console:ops")
        self._park("bulky", priority="bulk")
        pause(store, Scope(), actor="ann", note="everybody is out")
        self._park("paused")
        store.close_gate("limit:account", "the spending limit of 1 credits a day is reached", 20)
        self._park("capped")
        store.close_gate(
            "credit", str(says.explain(says.NotEnoughCredits, 403, "")), 50, refused=True
        )
        self._park("poor")
        store.close_gate("auth", str(says.bad_credentials()), refused=True)
        self._park("locked")
        for _ in range(40):
            self._ask("waits", priority=self.rng.choice(["urgent", "normal", "bulk"]))
        for tag in CAMPAIGNS * 8:
            self._ask("import", tags=[tag], priority="bulk")

    def under_way(self) -> None:
        """Leave reports that nobody applied, some of them taken, and webhooks that are out."""
        store, inbox = self.store, self.play.inbox
        self.play.clock.forward(60)
        reports = self.play.provider.callbacks()
        inbox.receive(reports, {"callbacks.received": len(reports), "callbacks.forged": 2})
        inbox.take(2)
        self.outbox.take_notices()
        for id_ in self.outbox.take(lease=60)[:2]:
            self.outbox.claim(id_, 60)
        audit.record(store, "bob", "webhooks.retry", "2 webhooks", "the receiver is mended")

    def _ask(self, actor: str, **fields: Any) -> None:
        number = self.rng.choice(self.play.producers.numbers[:50])
        request = JobRequest.of({"recipient": number, "say": "Stand by", **fields})
        self.play.producers.ids.append(self.store.enqueue(request, actor=actor).id)

    def _park(self, actor: str, **fields: Any) -> None:
        for _ in range(12):
            self._ask(actor, **fields)
        self.store.feed(400)
