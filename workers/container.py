"""The composition root: from settings to the parts that tasks are thin covers over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from celery import Celery

from config.settings import Settings
from dispatcher.alerts.alerting import Alerting
from dispatcher.alerts.drills import Drills
from dispatcher.alerts.spoken import HowTo
from dispatcher.balance_check import BalanceCheck
from dispatcher.client.messages import Messenger, wake
from dispatcher.errors import DispatcherError
from dispatcher.provider import Provider, Timeouts
from dispatcher.store import Store
from dispatcher.store.slots import Slots
from dispatcher.tracing import Spans, spans
from workers.engine.alert_summary import SummariseAlerts
from workers.engine.alert_watch import AlertWatch
from workers.engine.apply_callbacks import ApplyReports
from workers.engine.callback_test import CallbackTest
from workers.engine.check_call import CheckCall
from workers.engine.clock_watch import ClockWatch
from workers.engine.dial import Dial
from workers.engine.dialler import Dialler, Told
from workers.engine.store_clock import StoreClock
from workers.engine.ticks import (
    KeepHistory,
    Pump,
    Purge,
    Reconcile,
    Rescue,
    Retrigger,
    WatchReplicas,
)
from workers.engine.typical_duration import TypicalDuration, never
from workers.webhooks.addresses import Addresses
from workers.webhooks.deliver import Deliver
from workers.webhooks.sender import Sender
from workers.webhooks.wire import Wire


@dataclass(frozen=True)
class Container:
    """Everything a worker process needs, made once, after any fork.

    `threads` dial at once; as many as the account has connections, unless told.
    """

    settings: Settings
    app: Celery
    told: Told = lambda _name, _job: lambda _turn: None
    threads: int | None = None

    def warm_up(self) -> None:
        """Make what dialling needs, before the first job comes."""
        self.dialler  # noqa: B018 - made by being asked for
        self.check_call  # noqa: B018
        self.apply_reports  # noqa: B018
        self.alert_watch.start()
        with suppress(DispatcherError):  # then the first dial looks, and tells
            self.store.replicas.look()

    @cached_property
    def store(self) -> Store:
        """The jobs."""
        return Store.from_url(self.settings.records, namespace=self.settings.namespace)

    @cached_property
    def spans(self) -> Spans:
        """What tells of this process' work."""
        return spans()

    @cached_property
    def messenger(self) -> Messenger:
        """The wake-ups."""
        return Messenger(lambda: self.app, self.settings.namespace)

    @cached_property
    def provider(self) -> Provider:
        """The account's provider, connected."""
        settings = self.settings
        timeouts = Timeouts(settings.connect_timeout, settings.read_timeout)
        connect = settings.registration.connect
        return connect(settings.of_provider, timeouts, settings.max_connections)

    @cached_property
    def slots(self) -> Slots:
        """The slots of requests that are not dials."""
        return Slots(self.store.limiter)

    @cached_property
    def dial(self) -> Dial:
        """See workers.engine.dial."""
        settings = self.settings
        return Dial(
            self.store,
            self.provider,
            settings.policy,
            settings.caller,
            settings.callbacks,
            usual=never if settings.callbacks else TypicalDuration(self.store),
            spans=self.spans,
        )

    @cached_property
    def dialler(self) -> Dialler:
        """See workers.engine.dialler."""
        settings = self.settings
        return Dialler(
            self.store,
            self.dial,
            self.told,
            provider=self.provider.name,
            threads=self.threads or settings.max_connections,
            lease=settings.lease,
            answer=settings.read_timeout,
            wake_others=self.messenger.wake,
            spans=self.spans,
        )

    def wake(self) -> None:
        """Have what waits dialled: by this process, or by another where it is busy."""
        self.dialler.wake()
        wake(self.store, self.messenger)

    @cached_property
    def check_call(self) -> CheckCall:
        """See workers.engine.check_call."""
        return CheckCall(self.store, self.provider, self.settings.policy, self.slots, self.spans)

    @cached_property
    def apply_reports(self) -> ApplyReports:
        """See workers.engine.apply_callbacks."""
        settings = self.settings
        return ApplyReports(
            self.store,
            self.store.callbacks,
            settings.policy,
            settings.confirm_callbacks,
            self.spans,
        )

    @cached_property
    def pump(self) -> Pump:
        """See workers.engine.ticks, as for the others."""
        return Pump(self.store, self.messenger)

    @cached_property
    def retrigger(self) -> Retrigger:
        return Retrigger(self.store, self.messenger, self.wake)

    @cached_property
    def rescue(self) -> Rescue:
        return Rescue(self.store, self.settings.policy, self.apply_reports, ClockWatch(self.store))

    @cached_property
    def reconcile(self) -> Reconcile:
        return Reconcile(self.store, self.messenger, self.settings.check_share)

    @cached_property
    def watch_credit(self) -> BalanceCheck:
        return BalanceCheck(
            self.store, self.provider, self.slots, self.settings.balance_check_every
        )

    @cached_property
    def watch_replicas(self) -> WatchReplicas:
        return WatchReplicas(self.store)

    @cached_property
    def keep_history(self) -> KeepHistory:
        return KeepHistory(self.store)

    @cached_property
    def summarise_alerts(self) -> SummariseAlerts:
        """See workers.engine.alert_summary."""
        return SummariseAlerts(self.store, self.settings.alert_summary)

    @cached_property
    def test_callbacks(self) -> CallbackTest:
        """See workers.engine.callback_test."""
        return CallbackTest(self.store, self.settings.callbacks)

    @cached_property
    def alerting(self) -> Alerting:
        """See dispatcher.alerts.alerting."""
        how_to = HowTo(number=self.settings.dial_in_number)
        return Alerting(self.store, self.wake, how_to_acknowledge=how_to)

    @cached_property
    def ring_drills(self) -> Drills:
        """See dispatcher.alerts.drills."""
        return Drills(self.store)

    @cached_property
    def alert_watch(self) -> AlertWatch:
        """See workers.engine.alert_watch."""
        return AlertWatch(self.alerting)

    @cached_property
    def deliver_webhook(self) -> Deliver:
        """See workers.webhooks. A receiver refuses what was signed minutes off the true time."""
        settings, clock = self.settings, StoreClock(self.store.now)
        return Deliver(
            self.store.webhooks,
            Wire(Addresses(settings.webhook_allow_private)),
            Wire(
                Addresses(
                    settings.webhook_allow_private_jobs, "DISPATCHER_WEBHOOK_ALLOW_PRIVATE_JOBS"
                )
            ),
            settings.webhook_urls,
            settings.webhook_secrets,
            whole=settings.webhook_numbers == "whole",
            links=settings.alert_links,
            spans=self.spans,
            now=lambda: datetime.fromtimestamp(clock.now(), UTC),
        )

    @cached_property
    def webhook_sender(self) -> Sender:
        return Sender(self.store, self.messenger)

    @cached_property
    def purge(self) -> Purge:
        asked = self.settings
        return Purge(self.store, asked.retention, asked.audit_retention, asked.campaign_retention)


def made_once(make: Callable[[], Container]) -> Callable[[], Container]:
    """Return a function that makes the parts at the first call, in whichever thread that is."""
    lock = threading.Lock()
    made: list[Container] = []

    def container() -> Container:
        with lock:
            if not made:
                made.append(make())
        return made[0]

    return container
