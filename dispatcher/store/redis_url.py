"""From a URL to a Redis connection.

redis-py is loaded by who connects, not by who imports this: it brings all of asyncio along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatcher.store import local_files
from dispatcher.store.redis_place import RedisPlace, place_of

if TYPE_CHECKING:
    import redis

_TIMEOUT = 5.0  # a Redis that has not answered by then is as good as gone
_SENTINEL_TIMEOUT = 0.4  # seconds to connect, and again to answer: the next one knows as well


def connect(url: str, *, within: float | None = None) -> redis.Redis:
    """Return a client for `redis://`, `rediss://`, `unix://` or
    `sentinel://host:port,host:port/db?service=name`; docs/how-to/redis.md lists the options.
    Nothing is sent yet. `within`: seconds to connect and to answer each, with no second try;
    else a few.

    Raises StoreUnsuitable for a URL that is none of these; its password is never shown.
    """
    from redis import Redis  # noqa: PLC0415

    place = place_of(url)
    local_files.require(place)
    options = _options(place, within)
    if place.service is not None:
        return _through_sentinel(place, options | _tls(place.tls))
    return Redis.from_pool(_pool(place, options))


def _options(place: RedisPlace, within: float | None) -> dict[str, Any]:
    from redis.backoff import ExponentialBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    return {
        "socket_timeout": within or _TIMEOUT,
        "socket_connect_timeout": within or _TIMEOUT,
        "health_check_interval": 30,
        "retry": None if within else Retry(ExponentialBackoff(cap=0.5, base=0.05), 2),
        "db": place.database,
        "username": place.username,
        "password": place.password,
    }


def _pool(place: RedisPlace, options: dict[str, Any]) -> redis.ConnectionPool:
    from redis import ConnectionPool, UnixDomainSocketConnection  # noqa: PLC0415

    from dispatcher.store import cluster  # noqa: PLC0415

    if place.socket is not None:
        return ConnectionPool(UnixDomainSocketConnection, path=place.socket, **options)
    kind = cluster.FollowingConnection if place.tls is None else cluster.FollowingTlsConnection
    host, port = place.hosts[0]
    way = cluster.Way(host, port)
    return ConnectionPool(kind, host=host, port=port, way=way, **options, **(place.tls or {}))


def sentinel_options(place: RedisPlace) -> dict[str, Any]:
    """Return what redis-py is told for asking the sentinels: bounds, and what lets us in there.

    One that is dead or silent is passed over within a second: `retry` None means no retries, to
    redis-py with asyncio (Flower's) as well.
    """
    return {
        "socket_timeout": _SENTINEL_TIMEOUT,
        "socket_connect_timeout": _SENTINEL_TIMEOUT,
        "retry": None,
        "username": place.sentinel_username,
        "password": place.sentinel_password,
        **_tls(place.sentinel_tls),
    }


def _tls(options: Any) -> dict[str, Any]:
    return {} if options is None else {"ssl": True, **options}


def _through_sentinel(place: RedisPlace, options: dict[str, Any]) -> redis.Redis:
    from dispatcher.store.tls_misfit import PlainMaster, Sentinels, TlsMaster  # noqa: PLC0415

    sentinels: Any = Sentinels(list(place.hosts), sentinel_kwargs=sentinel_options(place))  # type: ignore[no-untyped-call]
    kind = PlainMaster if place.tls is None else TlsMaster
    master: redis.Redis = sentinels.master_for(place.service, connection_class=kind, **options)
    return master
