"""The Redis server itself: whether it answers, is new enough, and keeps what it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dispatcher.store.connection import Repository
from dispatcher.store.errors import StoreUnsuitable, plain_errors
from dispatcher.store.replicas import online
from dispatcher.values.server_version import NEEDED, ServerVersion

if TYPE_CHECKING:
    import redis


def check_version(client: redis.Redis) -> ServerVersion:
    """Return the server's version, or raise StoreUnsuitable where it is too old."""
    with plain_errors():
        info: dict[str, Any] = client.info("server")
        version = ServerVersion.of_info(info)
    _require_no_sentinel(info)
    if not version.will_do:
        raise StoreUnsuitable(f"{version} is too old: {NEEDED} is needed")
    return version


@dataclass(frozen=True, slots=True)
class Kind:
    """What a server is among others: one of a cluster, or a replica that takes no writes."""

    in_cluster: bool
    replica: bool


def kind_of(client: redis.Redis) -> Kind:
    """Return what a server is. Raises StoreUnavailable, StoreUnsuitable."""
    with plain_errors("the broker's Redis"):
        info: dict[str, Any] = client.info()
    _require_no_sentinel(info)
    return Kind(
        in_cluster=bool(info.get("cluster_enabled")),
        replica=info.get("role") == "slave" and bool(info.get("slave_read_only")),
    )


def _require_no_sentinel(info: dict[str, Any]) -> None:
    if info.get("redis_mode") == "sentinel":
        raise StoreUnsuitable(
            "what answers there is a sentinel, not a Redis server:"
            " write sentinel://host:port/0?service=name"
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """What an operator must know of the server.

    `append_only`: every change is written to a file, as often as `fsync` says (`always`,
    `everysec` or `no`; None: not written, or the server does not tell). `eviction` is its policy
    for when memory is short; `memory` is what is taken, `most_memory` what may be, in bytes (0:
    any). `replicas` are in step, or were a moment ago; without `least_replicas` Redis takes no
    writes (None: the server does not tell).
    """

    version: ServerVersion
    append_only: bool
    fsync: str | None
    eviction: str
    memory: int
    most_memory: int = 0
    replicas: int = 0
    least_replicas: int | None = None


class Server(Repository):
    """Questions to the server."""

    def ping(self) -> None:
        """Raise StoreUnavailable where Redis does not answer."""
        with plain_errors():
            self._connection.redis.ping()

    def check_schema(self) -> None:
        """Raise OtherSchema where the records are not of the schema that this process knows, and
        NotAllowed where the user of Redis has no longer a right that this process has made use of.
        """
        self._connection.rights.require_again()

    def check_rights(self) -> None:
        """Raise OtherSchema as check_schema, and NotAllowed where any right is missing that an
        operation needs.
        """
        self._connection.rights.require_all()

    def check_writable(self) -> None:
        """Raise what check_rights raises, and StoreUnavailable where Redis takes no writes
        now: it is full, a replica, without enough replicas, or cannot save. Writes nothing.
        """
        self._connection.rights.require_writes()

    def check_version(self) -> ServerVersion:
        """Return the server's version. Raises StoreUnsuitable where it is too old."""
        return check_version(self._connection.redis)

    def facts(self) -> Facts:
        """Return what the server tells of itself."""
        with plain_errors():
            info: dict[str, Any] = self._connection.redis.info()
            append_only = bool(info.get("aof_enabled"))
            least = self._setting("min-replicas-to-write")
            return Facts(
                version=ServerVersion.of_info(info),
                append_only=append_only,
                fsync=self._setting("appendfsync") if append_only else None,
                eviction=str(info.get("maxmemory_policy")),
                memory=int(info["used_memory"]),
                most_memory=int(info.get("maxmemory", 0)),
                replicas=online(info),
                least_replicas=None if least is None else int(least),
            )

    def memory(self) -> tuple[int, int]:
        """Return how many bytes of memory the server has taken, and how many it may take at most,
        0 for any.
        """
        with plain_errors():
            info: dict[str, Any] = self._connection.redis.info("memory")
        return int(info["used_memory"]), int(info.get("maxmemory", 0))

    def _setting(self, name: str) -> str | None:
        from redis import RedisError  # noqa: PLC0415 - see redis_url

        try:
            found: dict[str, str] = self._connection.redis.config_get(name)  # type: ignore[assignment]
        except RedisError:  # some servers keep their settings to themselves
            return None
        return found.get(name)

    def close(self) -> None:
        """Close the connections; they are opened again when needed."""
        self._connection.redis.close()
