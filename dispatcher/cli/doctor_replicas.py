"""What `doctor` says of the replicas of Redis: whether a failover may forget something."""

from __future__ import annotations

from dispatcher.store.replicas import Replication
from dispatcher.store.server import Facts
from dispatcher.values.counts import counted

MORE = "see docs/how-to/high-availability.md"


def fault(facts: Facts, wanted: Replication) -> str:
    """Return what is wrong, and what to do; '' where all is well."""
    here = counted(facts.replicas, "replica")
    if facts.replicas < wanted.needed:
        return (
            f"{here} in step, and calls need {wanted.needed}: bring replicas back, or lower"
            f" DISPATCHER_REDIS_REPLICAS ({MORE})"
        )
    if facts.replicas and not wanted.needed:
        return (
            f"{here} in step, and claims do not wait for any: a failover may call people twice;"
            f" set DISPATCHER_REDIS_REPLICAS=auto ({MORE})"
        )
    if facts.replicas and not wanted.durable and facts.least_replicas == 0:
        return (
            f"{here} in step, but new jobs are accepted before it has them, and a planned failover"
            " loses all of some seconds: set DISPATCHER_ACCEPT_DURABLE=true, or"
            f" min-replicas-to-write 1 in Redis ({MORE})"
        )
    return ""


def fine(facts: Facts) -> str:
    """Return what is said where nothing is wrong."""
    if not facts.replicas:
        return "none: a single server keeps the records"
    return f"{counted(facts.replicas, 'replica')} in step"
