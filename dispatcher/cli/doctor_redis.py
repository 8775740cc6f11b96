"""What `doctor` says of the Redis server: whether it keeps what it is given, and has room."""

from __future__ import annotations

from collections.abc import Iterator

from dispatcher.cli import doctor_replicas
from dispatcher.cli.finding import OK, WARN, Finding
from dispatcher.store.replicas import Replication
from dispatcher.store.server import Facts

MIB = 1 << 20
NEARLY = 0.9
"""The part of `maxmemory` that is left for calls under way, and for purging."""


def findings(facts: Facts, wanted: Replication) -> Iterator[Finding]:
    """Yield what is found of the server, and of its replicas."""
    yield Finding("Redis", OK, str(facts.version))
    yield _expect(
        "append-only file",
        facts.append_only,
        "on",
        "off: a restart of Redis loses jobs; set `appendonly yes`",
    )
    if facts.append_only:
        yield _syncs(facts.fsync)
    yield _expect(
        "eviction",
        facts.eviction == "noeviction",
        "none",
        f"{facts.eviction}: Redis may drop jobs when memory runs out;"
        " set `maxmemory-policy noeviction`",
    )
    yield _memory(facts)
    yield _replicas(facts, wanted)


def _memory(facts: Facts) -> Finding:
    """Say how much memory Redis takes of what it may; without an end the system ends it."""
    taken = f"{facts.memory / MIB:.0f} MiB"
    if not facts.most_memory:
        says = f"{taken}, without an end: set `maxmemory`, so that the system does not end Redis"
        return Finding("memory", WARN, says)
    says = f"{taken} of {facts.most_memory / MIB:.0f} MiB"
    if facts.memory < NEARLY * facts.most_memory:
        return Finding("memory", OK, says)
    return Finding("memory", WARN, f"{says}: raise `maxmemory`, or `purge` old jobs")


def _replicas(facts: Facts, wanted: Replication) -> Finding:
    wrong = doctor_replicas.fault(facts, wanted)
    return Finding("replicas", WARN if wrong else OK, wrong or doctor_replicas.fine(facts))


def _syncs(mode: str | None) -> Finding:
    """Say what a crash may cost; a server that does not tell its settings is not blamed for it."""
    what = "loss in a crash"
    if mode is None:
        return Finding(what, OK, "not known: the server does not show appendfsync")
    says = {
        "always": "nothing",
        "everysec": "almost nothing if Redis is killed, a second or two in a power cut;"
        " with `appendfsync always` nothing",
    }
    no = "what the system had not written yet: set `appendfsync everysec` or `always`"
    return Finding(what, OK if mode in says else WARN, says.get(mode, no))


def _expect(what: str, holds: bool, good: str, bad: str) -> Finding:
    return Finding(what, OK if holds else WARN, good if holds else bad)
