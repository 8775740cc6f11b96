"""The replicas of Redis: how many must have a write that a failover is not to forget."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dispatcher.model.states import Reason
from dispatcher.store.connection import Connection, Repository
from dispatcher.store.errors import StoreUnavailable, TooFewReplicas, plain_errors
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
        self._looked = False

    def needed(self) -> int:
        """Return how many must have a claim, as it was a second ago at most."""
        if not self._looked:
            return self.look()  # nobody else may have looked yet
        return (self._fresh() or self._read()).needed

    def for_accepting(self) -> int:
        """Return how many must have a new job before its producer is told that it is accepted.

        Raises StoreUnavailable where none is accepted: too few replicas take in writes.
        """
        found = self._fresh() or self._read()
        if not (found.durable and found.needed):
            return 0
        if found.held and (found := self._read()).held:  # it may have ended since
            raise StoreUnavailable(f"no job is accepted for now: {found.held}")
        return found.needed

    def known(self) -> Replication:
        """Return what holds now, as far as workers have looked."""
        return self._read()

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

    def _fresh(self) -> Replication | None:
        """Return what is known, unless it is too old."""
        return self._known if self._monotonic() < self._known_until else None

    def _read(self) -> Replication:
        return self._keep(self._run("needed_replicas"))

    def _look(self) -> Replication:
        with plain_errors():
            info: Mapping[str, Any] = self._redis.info("replication")
        answer = self._run("note_replicas", master=info["master_replid"], online=online(info) > 0)
        self._looked = True
        return self._keep(answer)

    def _keep(self, answer: Any) -> Replication:
        self._known = found = Replication.of(answer)
        self._known_until = self._monotonic() + LOOK_EVERY
        return found


def online(info: Mapping[str, Any]) -> int:
    """Return how many replicas a server has that are in step, or were a moment ago."""
    replicas = [facts for name, facts in info.items() if _REPLICA.fullmatch(name)]
    return sum(facts["state"] == "online" for facts in replicas)
