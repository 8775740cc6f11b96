"""A small cluster of real Redis servers: one has our keys, one is its replica, one has the rest."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from redis import RedisError, ResponseError

from support.polling import eventually
from support.redis_servers import HOST, RedisProcess, Together

LAST_SLOT = 16383
MODE = {"cluster-enabled": "yes"}


def one_server(folder: Path, binary: Path | None = None) -> RedisProcess:
    """Return a server that is a whole cluster, started and ready. Kill it."""
    server = RedisProcess(folder, MODE, binary=binary)
    server.start()
    ask(server, "CLUSTER", "ADDSLOTSRANGE", 0, LAST_SLOT)
    eventually(lambda: is_up(server), "the cluster serves its slots", more=server.log)
    return server


def ask(server: RedisProcess, *command: str | int) -> Any:
    with server.client(decode_responses=True) as client:
        return client.execute_command(*command)


def is_up(server: RedisProcess) -> bool:
    with server.client() as client:
        return bool(client.cluster("INFO")["cluster_state"] == "ok")


class Cluster(Together):
    """`others` has all slots but that of a namespace's keys, `ours` has that one, and `replica` the
    same. Use it in a `with` block.
    """

    def __init__(self, folder: Path, namespace: str = "vd", binary: Path | None = None) -> None:
        self._namespace = namespace
        super().__init__(
            [
                RedisProcess(folder / name, MODE, binary=binary)
                for name in ("others", "ours", "replica")
            ]
        )
        self.others, self.ours, self.replica = self.processes

    def promote(self, server: RedisProcess, *how: str) -> None:
        """Make a replica the master, and wait until the others know."""
        eventually(lambda: self._promoted(server, how), "it is the master", more=server.log)
        node = ask(server, "CLUSTER", "MYID")
        eventually(lambda: self._owner() == node, "the others know")

    def _promoted(self, server: RedisProcess, how: tuple[str, ...]) -> bool:
        """Ask for it again: a failover that takes five seconds is given up."""
        if ask(server, "ROLE")[0] == "master":
            return True
        with suppress(ResponseError):
            ask(server, "CLUSTER", "FAILOVER", *how)
        return False

    def join(self) -> None:
        slot = ask(self.others, "CLUSTER", "KEYSLOT", f"{{{self._namespace}}}")
        ask(self.ours, "CLUSTER", "ADDSLOTS", slot)
        ranges = [end for pair in ((0, slot - 1), (slot + 1, LAST_SLOT)) for end in pair]
        ask(self.others, "CLUSTER", "ADDSLOTSRANGE", *ranges)
        for server in (self.ours, self.replica):
            ask(self.others, "CLUSTER", "MEET", HOST, server.port)
        node = ask(self.ours, "CLUSTER", "MYID")
        eventually(lambda: self._follows(node), "the replica follows")
        eventually(lambda: all(map(is_up, self.processes)), "the cluster serves its slots")

    def _follows(self, node: str) -> bool:
        try:
            return bool(ask(self.replica, "CLUSTER", "REPLICATE", node))
        except RedisError:  # it has not heard of that one yet
            return False

    def _owner(self) -> str:
        """Return the node that `others` takes for the owner of our keys."""
        slot = ask(self.others, "CLUSTER", "KEYSLOT", f"{{{self._namespace}}}")
        for first, last, master, *_ in ask(self.others, "CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return str(master[2])
        return ""
