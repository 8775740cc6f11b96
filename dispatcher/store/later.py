"""The repositories that a store makes when they are first asked for: a command needs few."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from dispatcher.store.connection import Connection


@dataclass(frozen=True, slots=True)
class Later:
    """A repository: its class in a module of this package, and the others that it is given."""

    module: str
    name: str
    given: tuple[str, ...] = ()

    def make(self, connection: Connection, given: dict[str, object]) -> object:
        """Import the class, and make one."""
        found = getattr(import_module(f"dispatcher.store.{self.module}"), self.name)
        made: object = found(connection, **given)
        return made


LATER = {
    "aftermath": Later("aftermath", "Aftermaths", ("holds", "search")),
    "alert_summaries": Later("alert_summaries", "AlertSummaries"),
    "alerts": Later("alerts", "Alerts", ("replicas",)),
    "api_keys": Later("api_keys", "ApiKeys"),
    "append_only": Later("append_only", "AppendOnly"),
    "audit": Later("audit", "Audit"),
    "bulk": Later("bulk", "Bulk", ("search", "budget")),
    "campaigns": Later("campaigns", "Campaigns"),
    "chains_files": Later("chains_files", "ChainsFiles"),
    "clients": Later("clients", "Clients"),
    "clock": Later("clock", "RedisClock"),
    "do_not_call": Later("do_not_call", "DoNotCallList", ("replicas",)),
    "drills": Later("drills", "Drills"),
    "failed_logins": Later("sessions", "FailedLogins"),
    "heartbeats": Later("heartbeats", "Heartbeats"),
    "history": Later("history", "History", ("statistics",)),
    "line_lengths": Later("line_lengths", "LineLengths"),
    "missing_rights": Later("missing_rights", "MissingRights"),
    "on_call": Later("on_call", "OnCallStore"),
    "redaction": Later("redaction", "Redaction", ("do_not_call",)),
    "refused_reports": Later("refused_reports", "RefusedReportsNotes"),
    "retention": Later(
        "retention",
        "Retention",
        ("jobs", "search", "webhooks", "callbacks", "redaction", "campaigns", "alerts"),
    ),
    "sessions": Later("sessions", "Sessions"),
    "spending": Later("spending", "Spending"),
    "stoppage": Later("stoppage", "Stoppage"),
    "webhooks": Later("webhooks", "Webhooks"),
}
