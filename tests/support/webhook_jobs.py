"""What the tests of webhooks share: a clock, jobs and their ends, the delivering parts."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_network
from random import Random
from typing import Any, TypeVar

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.request import JobRequest
from dispatcher.store import Store
from dispatcher.store.webhooks import Webhooks
from dispatcher.values.webhook_secrets import WebhookSecrets
from support.clock import Clock
from support.webhook_receiver import SECRET
from workers.webhooks.addresses import Addresses
from workers.webhooks.deliver import LEASE, Deliver
from workers.webhooks.wire import Wire

RECIPIENT = "+818011234567"
SAY = "The wombats are loose."
LOOPBACK = Addresses((ip_network("127.0.0.0/8"),))
T = TypeVar("T")


def enqueue(store: Store, **fields: Any) -> str:
    request = JobRequest.of({"recipient": RECIPIENT, "say": SAY, **fields})
    return store.jobs.enqueue(request).id


def ended(store: Store, **fields: Any) -> str:
    """Enqueue a job and end it; return its id."""
    id_ = enqueue(store, **fields)
    store.jobs.cancel(id_, actor="cli:sam", note=f"{RECIPIENT} asked for it")
    return id_


def targets(store: Store, number: int = 1, *, every: bool = False) -> None:
    """Have so many targets of the account told of what happens from now on."""
    store.limiter.publish(AccountConfig(webhooks=number, every_change=every, one_at_a_time=False))


def deliver(webhooks: Webhooks, *urls: str, wire: Wire | None = None, **options: Any) -> Deliver:
    options = {"secrets": WebhookSecrets((SECRET,)), "random": Random(7), **options}
    wire = wire or Wire(LOOPBACK, 2, 2)
    return Deliver(webhooks, wire, options.pop("wire_of_jobs", wire), urls, **options)


def run(webhooks: Webhooks, sender: Deliver) -> list[Any]:
    """Deliver what is due, one after the other; return the verdicts."""
    verdicts = []
    webhooks.take_events()
    while ids := webhooks.take(LEASE):
        verdicts += [sender(id_) for id_ in ids]
    return verdicts


def at(clock: Clock) -> datetime:
    return datetime.fromtimestamp(clock.ms / 1000, UTC)
