"""The store: Redis behind small repositories, one for each subject."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dispatcher.store.aftermath import Aftermaths
from dispatcher.store.alert_summaries import AlertSummaries
from dispatcher.store.alerts import Alerts
from dispatcher.store.api_keys import ApiKeys
from dispatcher.store.append_only import AppendOnly
from dispatcher.store.audit import Audit
from dispatcher.store.budget import Budget
from dispatcher.store.bulk import Bulk
from dispatcher.store.callbacks import Callbacks
from dispatcher.store.calls import Calls
from dispatcher.store.campaigns import Campaigns
from dispatcher.store.chains_files import ChainsFiles
from dispatcher.store.clients import Clients
from dispatcher.store.clock import RedisClock
from dispatcher.store.connection import Connection
from dispatcher.store.do_not_call import DoNotCallList
from dispatcher.store.drills import Drills
from dispatcher.store.events import Events
from dispatcher.store.heartbeats import Heartbeats
from dispatcher.store.holds import Holds
from dispatcher.store.jobs import Jobs
from dispatcher.store.languages import Languages
from dispatcher.store.limiter import Limiter
from dispatcher.store.missing_rights import MissingRights
from dispatcher.store.on_call import OnCallStore
from dispatcher.store.pubsub import PubSub
from dispatcher.store.queue import Queue
from dispatcher.store.redaction import Redaction
from dispatcher.store.redis_url import connect
from dispatcher.store.refused_reports import RefusedReportsNotes
from dispatcher.store.replicas import Replicas
from dispatcher.store.retention import Retention
from dispatcher.store.search import Search
from dispatcher.store.server import Server
from dispatcher.store.sessions import FailedLogins, Sessions
from dispatcher.store.spending import Spending
from dispatcher.store.statistics import Statistics
from dispatcher.store.stoppage import Stoppage
from dispatcher.store.webhooks import Webhooks
from dispatcher.values.namespace import DEFAULT_NAMESPACE

if TYPE_CHECKING:
    import redis


class Store:
    """One account's jobs, and all that belongs to them, in Redis.

    Each public operation of a repository is one atomic step unless it says otherwise; all raise
    StoreUnavailable where Redis cannot be asked, and all may be repeated. `clock` returns ms
    since the epoch and is for tests: without it every operation obeys Redis' own clock. So does
    `steady`, which returns seconds of a clock that nobody sets, by default the machine's.
    """

    def __init__(
        self,
        client: redis.Redis,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        clock: Callable[[], float] | None = None,
        steady: Callable[[], float] | None = None,
    ) -> None:
        self._connection = to = Connection(client, namespace, clock, steady)
        # dialling
        self.holds = Holds(to)
        self.replicas = Replicas(to, self.holds)
        self.jobs = Jobs(to, self.replicas)
        self.do_not_call = DoNotCallList(to, self.replicas)
        self.queue = Queue(to)
        self.limiter = Limiter(to)
        self.languages = Languages(to)
        self.calls = Calls(to, self.limiter)
        self.callbacks = Callbacks(to)
        # alerts
        self.alerts = Alerts(to, self.replicas)
        self.on_call = OnCallStore(to)
        # credit
        self.budget = Budget(to)
        self.spending = Spending(to)
        # what people look at and do
        self.search = Search(to, self.jobs)
        self.bulk = Bulk(to, self.search, self.budget)
        self.statistics = Statistics(to)
        self.campaigns = Campaigns(to)
        self.audit = Audit(to)
        self.api_keys = ApiKeys(to)
        self.clients = Clients(to)
        self.sessions = Sessions(to)
        self.failed_logins = FailedLogins(to)
        # what others are told
        self.events = Events(to)
        self.webhooks = Webhooks(to)
        self.alert_summaries = AlertSummaries(to)
        self.pubsub = PubSub(to)
        # upkeep
        self.redaction = Redaction(to, self.do_not_call)
        self.retention = Retention(
            to,
            self.jobs,
            self.search,
            self.webhooks,
            self.callbacks,
            redaction=self.redaction,
            campaigns=self.campaigns,
            alerts=self.alerts,
        )
        self.append_only = AppendOnly(to)
        self.server = Server(to)
        self.aftermath = Aftermaths(to, self.holds, self.search)
        self.clock = RedisClock(to)
        self.missing_rights = MissingRights(to)
        self.refused_reports = RefusedReportsNotes(to)
        self.heartbeats = Heartbeats(to)
        self.chains_files = ChainsFiles(to)
        self.stoppage = Stoppage(to)
        self.drills = Drills(to)

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
