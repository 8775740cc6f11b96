"""The store: Redis behind small repositories, one for each subject."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dispatcher.store.budget import Budget
from dispatcher.store.callbacks import Callbacks
from dispatcher.store.calls import Calls
from dispatcher.store.connection import Connection
from dispatcher.store.events import Events
from dispatcher.store.holds import Holds
from dispatcher.store.jobs import Jobs
from dispatcher.store.languages import Languages
from dispatcher.store.later import LATER
from dispatcher.store.limiter import Limiter
from dispatcher.store.pubsub import PubSub
from dispatcher.store.queue import Queue
from dispatcher.store.redis_url import connect
from dispatcher.store.replicas import Replicas
from dispatcher.store.search import Search
from dispatcher.store.server import Server
from dispatcher.store.statistics import Statistics
from dispatcher.values.namespace import DEFAULT_NAMESPACE

if TYPE_CHECKING:
    import redis

    from dispatcher.store.aftermath import Aftermaths
    from dispatcher.store.alert_summaries import AlertSummaries
    from dispatcher.store.alerts import Alerts
    from dispatcher.store.api_keys import ApiKeys
    from dispatcher.store.append_only import AppendOnly
    from dispatcher.store.audit import Audit
    from dispatcher.store.bulk import Bulk
    from dispatcher.store.campaigns import Campaigns
    from dispatcher.store.chains_files import ChainsFiles
    from dispatcher.store.clients import Clients
    from dispatcher.store.clock import RedisClock
    from dispatcher.store.do_not_call import DoNotCallList
    from dispatcher.store.drills import Drills
    from dispatcher.store.heartbeats import Heartbeats
    from dispatcher.store.history import History
    from dispatcher.store.line_lengths import LineLengths
    from dispatcher.store.missing_rights import MissingRights
    from dispatcher.store.on_call import OnCallStore
    from dispatcher.store.redaction import Redaction
    from dispatcher.store.refused_reports import RefusedReportsNotes
    from dispatcher.store.retention import Retention
    from dispatcher.store.sessions import FailedLogins, Sessions
    from dispatcher.store.spending import Spending
    from dispatcher.store.stoppage import Stoppage
    from dispatcher.store.webhooks import Webhooks


class Store:
    """One account's jobs, and all that belongs to them, in Redis.

    Each public operation of a repository is one atomic step unless it says otherwise; all raise
    StoreUnavailable where Redis cannot be asked, and all may be repeated. `clock` returns ms
    since the epoch and is for tests: without it every operation obeys Redis' own clock. So does
    `steady`, which returns seconds of a clock that nobody sets, by default the machine's.
    """

    # made when they are first asked for, by LATER
    aftermath: Aftermaths
    alert_summaries: AlertSummaries
    alerts: Alerts
    api_keys: ApiKeys
    append_only: AppendOnly
    audit: Audit
    bulk: Bulk
    campaigns: Campaigns
    chains_files: ChainsFiles
    clients: Clients
    clock: RedisClock
    do_not_call: DoNotCallList
    drills: Drills
    failed_logins: FailedLogins
    heartbeats: Heartbeats
    history: History
    line_lengths: LineLengths
    missing_rights: MissingRights
    on_call: OnCallStore
    redaction: Redaction
    refused_reports: RefusedReportsNotes
    retention: Retention
    sessions: Sessions
    spending: Spending
    stoppage: Stoppage
    webhooks: Webhooks

    def __init__(
        self,
        client: redis.Redis,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        clock: Callable[[], float] | None = None,
        steady: Callable[[], float] | None = None,
    ) -> None:
        self._making = threading.RLock()
        self._connection = to = Connection(client, namespace, clock, steady)
        # dialling
        self.holds = Holds(to)
        self.replicas = Replicas(to, self.holds)
        self.jobs = Jobs(to, self.replicas)
        self.queue = Queue(to)
        self.limiter = Limiter(to)
        self.languages = Languages(to)
        self.calls = Calls(to, self.limiter)
        self.callbacks = Callbacks(to)
        self.budget = Budget(to)
        # what people look at
        self.search = Search(to, self.jobs)
        self.statistics = Statistics(to)
        self.server = Server(to)
        # what others are told
        self.events = Events(to)
        self.pubsub = PubSub(to)

    if not TYPE_CHECKING:  # to which the names above say enough

        def __getattr__(self, name: str) -> object:
            if name not in LATER:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            with self._making:
                if name not in self.__dict__:  # else another thread was quicker
                    given = {each: getattr(self, each) for each in LATER[name].given}
                    setattr(self, name, LATER[name].make(self._connection, given))
            return self.__dict__[name]

    @classmethod
    def from_url(cls, url: str, *, namespace: str = DEFAULT_NAMESPACE) -> Store:
        """Return a store on the Redis at `url` (see redis_url.connect). Nothing is sent yet."""
        return cls(connect(url), namespace=namespace)

    def close(self) -> None:
        """Close all connections; what is asked later opens new ones."""
        self._connection.close()

    def now(self) -> float:
        """Return Redis' clock (or the injected one) in ms since the epoch."""
        return self._connection.now()

    def moment(self) -> datetime:
        """Return the same as an aware datetime, UTC."""
        return datetime.fromtimestamp(self.now() / 1000, UTC)
