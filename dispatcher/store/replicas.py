"""The replicas of Redis: how many must have a write that a failover is not to forget."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dispatcher.model.states import Reason
from dispatcher.store.connection import Connection, Repository
from dispatcher.store.errors import TooFewReplicas, plain_errors
from dispatcher.store.holds import Holds

LOOK_EVERY = 1.0
"""Seconds for which a process goes by what it knows."""
_REPLICA = re.compile(r"(?:slave|replica)\d+")


@dataclass(frozen=True, slots=True)
class Replication:
    """What holds now: `needed` replicas must have a claim; with `durable` a new job as well.

    `held` says why the hold `replicas` stands; '' where it does not.
    """

    needed: int
    durable: bool
    held: str

    @classmethod
    def of(cls, answer: Any) -> Replication:
        """Return what the operations answer."""
        needed, durable, held = answer
        return cls(int(needed), bool(durable), held.decode())


class Replicas(Repository):
    """Where no number is set, one replica is needed if this master has one, or had one lately."""

    def __init__(
        self,
        connection: Connection,
        holds: Holds,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(connection)
        self._holds, self._monotonic = holds, monotonic
        self._known: Replication | None = None
        self._known_until = 0.0

    def needed(self) -> int:
        """Return how many must have a claim, as it was a second ago at most."""
        return self._current().needed

    def look(self) -> int:
        """Ask the server which replicas it has; return how many must have a claim now."""
        return self._look().needed

    def watch(self) -> bool:
        """Look, and end the hold `replicas` where enough of them take in a write; True if so."""
        found = self._look()
        if not found.held:
            return False
        try:
            self._run("try_replicas", replicas=found.needed)
        except TooFewReplicas:
            return False
        return self._holds.end(Reason.REPLICAS, "enough replicas take in writes again")

    def _current(self) -> Replication:
        if self._known is None:
            return self._look()  # nobody else may have looked yet
        if self._monotonic() >= self._known_until:
            return self._keep(self._run("needed_replicas"))
        return self._known

    def _look(self) -> Replication:
        with plain_errors():
            info: Mapping[str, Any] = self._redis.info("replication")
        return self._keep(
            self._run("note_replicas", master=info["master_replid"], online=_online(info) > 0)
        )

    def _keep(self, answer: Any) -> Replication:
        self._known = found = Replication.of(answer)
        self._known_until = self._monotonic() + LOOK_EVERY
        return found


def _online(info: Mapping[str, Any]) -> int:
    """Return how many replicas a server has that are in step, or were a moment ago."""
    replicas = [facts for name, facts in info.items() if _REPLICA.fullmatch(name)]
    return sum(facts["state"] == "online" for facts in replicas)
