"""Webhooks: written in the step that they tell of, kept until they are delivered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dispatcher.model.alert import Alert
from dispatcher.model.job import Job
from dispatcher.store import alert_codec, codec
from dispatcher.store.connection import Repository, milliseconds
from dispatcher.store.errors import plain_errors
from dispatcher.store.schema import OWN_TARGET, AlertField, Delivery, Field
from dispatcher.values.mentions import Mentions

LEASE = 30.0
"""Seconds for which a message, and then a try, has a webhook for itself; more than a try takes."""
RETRY_FOR = 86_400.0
"""Seconds for which a webhook is tried, from its event or from an order to retry it."""
OF_ONE_TARGET = 4
"""Webhooks of one target that are under way at once: one that hangs holds no more threads."""
MOST_OUT = 64
"""Messages in the queue at once: what is chosen late can be chosen fairly."""
OF_ALERTS = "alert."
"""How the types of events of alerts begin."""
OWN = OWN_TARGET
"""The target that a job names itself."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One event for one target.

    `event` and `sequence` are the same for all targets and tries; moments in ms since the epoch.
    `target` is a place in the settings' list, from 1, or `job`; `line` is that place, or the
    origin of the job's URL. In a claim only: `failures` counts those of the
    target in a row, and `age` the seconds since the event or an order to retry.
    """

    id: str
    event: str
    type: str
    at: float
    sequence: int
    line: str
    since: float
    tries: int
    error: str
    record: Mapping[str, str]
    failures: int = 0
    age: float = 0

    @classmethod
    def from_record(cls, id_: str, record: Mapping[str, str]) -> Webhook:
        """Return the webhook that a record of the outbox tells of."""
        return cls(
            id=id_,
            event=record[Delivery.EVENT],
            type=record[Delivery.TYPE],
            at=float(record[Delivery.AT]),
            sequence=int(record[Delivery.SEQUENCE]),
            line=record[Delivery.TARGET],
            since=float(record[Delivery.SINCE]),
            tries=int(record[Delivery.TRIES]),
            error=record.get(Delivery.ERROR, ""),
            record=record,
        )

    @property
    def target(self) -> str:
        """Which of the account's targets is meant, or `job`."""
        return self.id.rpartition(":")[2]

    @property
    def is_of_job(self) -> bool:
        """Whether the job named the receiver itself."""
        return self.target == OWN

    @property
    def own_url(self) -> str:
        """The URL that the job names itself."""
        return self.record.get(Field.WEBHOOK, "")

    @property
    def job(self) -> Job | None:
        """The job as it was when the event happened; None for an event of anything else."""
        if Field.STATE not in self.record:
            return None
        return codec.job(self.event.removeprefix("msg_").partition("-")[0], self.record)

    @property
    def alert(self) -> Alert | None:
        """The alert as it was when the event happened, without its calls and its timeline; None for
        an event of anything else.
        """
        facts = json.loads(self.facts) if self.type.startswith(OF_ALERTS) else {}
        if AlertField.STATE not in facts:
            return None
        return alert_codec.alert(facts.pop("id"), facts)

    @property
    def traceparent(self) -> str | None:
        """The trace that the job or the alert belongs to, if any."""
        of_alert = self.type.startswith(OF_ALERTS)
        found = json.loads(self.facts) if of_alert else self.record
        told: str | None = found.get(AlertField.TRACEPARENT if of_alert else Field.TRACEPARENT)
        return told

    @property
    def facts(self) -> str:
        """What an event of the account tells, as JSON."""
        return self.record.get(Delivery.FACTS, "") or "{}"


class Webhooks(Repository):
    """The outbox: webhooks, from the step that wrote them until they are delivered."""

    # -- sending ---------------------------------------------------------------------------

    def take_events(self, most: int = 100) -> int:
        """Make webhooks of what happened to the account since the last time; return of how much."""
        return int(self._run("take_events", most=most))

    def take(self, lease: float) -> list[str]:
        """Take the webhooks whose messages are to be sent now; `lease` in seconds."""
        ids = self._run(
            "take_deliveries",
            most=MOST_OUT,
            of_one=OF_ONE_TARGET,
            lease=milliseconds(lease),
            give_up=milliseconds(RETRY_FOR),
        )
        return [id_.decode() for id_ in ids]

    def claim(self, id_: str, lease: float) -> Webhook | None:
        """Take up a webhook whose message came; None: it is settled, or its message came twice."""
        found = self._run("claim_delivery", id=id_, lease=milliseconds(lease))
        if not found:
            return None
        webhook = Webhook.from_record(id_, codec.record(found[1]))
        age = (self._now() - webhook.since) / 1000
        return replace(webhook, failures=int(found[0]), age=age)

    def settle(
        self,
        id_: str,
        what: str,
        *,
        delay: float = 0,
        pause: float = 0,
        slow: bool = False,
        error: str = "",
    ) -> bool:
        """Write what became of a try: `done`, `again` after `delay` seconds, or `dead`.

        The target is left alone for `pause` seconds; an `error` counts as a failure of it.
        """
        return bool(
            self._run(
                "settle_delivery",
                id=id_,
                outcome=what,
                delay=milliseconds(delay),
                pause=milliseconds(pause),
                slow=slow,
                error=error or None,
            )
        )

    # -- people ----------------------------------------------------------------------------

    def retry(self, id_: str) -> str:
        """Have a given up webhook tried again; return `again`, `waits` or `gone`."""
        answer: bytes = self._run("retry_delivery", id=id_)
        return answer.decode()

    def purge(self, before: float) -> int:
        """Forget what is older than a moment (ms since the epoch); return how many."""
        old = [*self._ids(self._dead, before), *self._waiting_ids(before)]
        return sum(self._run("purge_delivery", id=id_, before=round(before)) for id_ in old)

    def forget(self, id_: str) -> bool:
        """Forget a webhook, whatever became of it; False where it is gone already."""
        tomorrow = round(self._now() + 86_400_000)
        return bool(self._run("purge_delivery", id=id_, before=tomorrow))

    def about(self, number: str) -> Iterator[str]:
        """Yield the ids of webhooks that tell of jobs of an E.164 number, or of account events in
        whose tags and notes it stands.
        """
        digits, mentions = number.removeprefix("+"), Mentions(number)
        for webhook in self._read([*self._ids(self._dead, "+inf"), *self._waiting_ids("+inf")]):
            called = webhook.record.get(Field.TO, "").split(",")
            if digits in called or (webhook.job is None and mentions.stand_in(webhook.facts)):
                yield webhook.id

    def counts(self) -> dict[str, int]:
        """Return how many webhooks wait, and how many were given up."""
        with plain_errors():
            pipe = self._pipeline()
            for line in self._lines():
                pipe.zcard(self._key("webhooks_due", line))
            waiting = sum(pipe.execute())
            dead: Any = self._redis.zcard(self._dead)
        return {"waiting": waiting, "dead": dead}

    def dead(self) -> Iterator[Webhook]:
        """Yield the webhooks that were given up, the oldest first."""
        return self._read(self._ids(self._dead, "+inf"))

    def waiting(self) -> Iterator[Webhook]:
        """Yield the webhooks that are to be delivered still."""
        return self._read(self._waiting_ids("+inf"))

    # -- below -----------------------------------------------------------------------------

    @property
    def _dead(self) -> str:
        return self._key("webhooks_dead")

    def _lines(self) -> list[str]:
        with plain_errors():
            lines: Any = self._redis.zrange(self._key("webhook_targets"), 0, -1)
        return [line.decode() for line in lines]

    def _waiting_ids(self, before: float | str) -> Iterator[str]:
        for line in self._lines():
            yield from self._ids(self._key("webhooks_due", line), before)

    def _ids(self, index: str, before: float | str) -> list[str]:
        with plain_errors():
            ids: Any = self._redis.zrangebyscore(index, "-inf", before)
        return [id_.decode() for id_ in ids]

    def _read(self, ids: Iterator[str] | list[str]) -> Iterator[Webhook]:
        for id_ in ids:
            with plain_errors():
                raw: Any = self._redis.hgetall(self._key("delivery", id_))
            if raw:
                yield Webhook.from_record(id_, codec.record(raw))
