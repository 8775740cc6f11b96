"""A master with one replica and a cable between the two, for what a failover may forget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.cable import Cable
from support.polling import eventually
from support.redis_servers import RedisProcess

_OPTIONS = {"appendonly": "no", "repl-diskless-sync-delay": "0"}


@dataclass(frozen=True)
class Standby:
    """The replica follows its master through the cable, and is reached at its own port."""

    master: RedisProcess
    replica: RedisProcess
    cable: Cable

    def cut_off(self) -> None:
        """Cut the replica off, and wait until the master knows."""
        self.cable.cut()
        eventually(lambda: not self._online(), "the master has lost its replica")

    def mend(self) -> None:
        """Let the replica come back, and wait until it is in step."""
        self.cable.mend()
        eventually(self._in_step, "the replica is back")

    def promote(self) -> None:
        """Make the replica a master, as Sentinel does."""
        with self.replica.client() as client:
            client.execute_command("REPLICAOF", "NO", "ONE")

    def _online(self) -> bool:
        return self._seen()[0]

    def _in_step(self) -> bool:
        """Whether it has said that it has all; it is online before it has loaded that."""
        return all(self._seen())

    def _seen(self) -> tuple[bool, bool]:
        with self.master.client() as client:
            told = client.info("replication")
        seen = told.get("slave0", {})
        online = seen.get("state") == "online"
        return online, online and seen["offset"] >= told["master_repl_offset"]


@contextmanager
def standby(
    folder: Path,
    options: Mapping[str, str | tuple[str, ...]] | None = None,
    *,
    binary: Path | None = None,
) -> Iterator[Standby]:
    """Give a master and a replica that is in step with it."""
    given = {**_OPTIONS, **(options or {})}
    with (
        RedisProcess(folder / "master", given, binary=binary) as master,
        RedisProcess(folder / "replica", given, binary=binary) as replica,
        Cable(master.port) as cable,
    ):
        replica.follow(master, port=cable.port)
        pair = Standby(master, replica, cable)
        pair.mend()
        yield pair
