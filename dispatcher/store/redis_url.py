"""From a URL to a Redis connection.

redis-py is loaded by who connects, not by who imports this: it brings all of asyncio along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from dispatcher.store.errors import StoreUnsuitable
from dispatcher.values.masking import hide_password

if TYPE_CHECKING:
    import redis

SCHEMES = ("redis", "rediss", "unix", "sentinel")
_TIMEOUT = 5.0  # a Redis that has not answered by then is as good as gone


def connect(url: str) -> redis.Redis:
    """Return a client for `redis://`, `rediss://`, `unix://` or
    `sentinel://host:port,host:port/db?service=name`. Nothing is sent yet.

    Raises StoreUnsuitable for a URL that is none of these; its password is never shown.
    """
    import redis  # noqa: PLC0415
    from redis.backoff import ExponentialBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    try:
        parts = _split(url)
        options: dict[str, Any] = {
            "socket_timeout": _TIMEOUT,
            "socket_connect_timeout": _TIMEOUT,
            "health_check_interval": 30,
            "retry": Retry(ExponentialBackoff(cap=0.5, base=0.05), 2),
        }
        if parts.scheme == "sentinel":
            return _through_sentinel(parts, options)
        if parts.scheme != "unix":
            _database(parts)  # redis-py takes what is no number for 0
        client = redis.Redis.from_url(url, **options)
        client.connection_pool.make_connection()  # else an unknown option shows when used
        return client
    except (ValueError, TypeError):  # their words may hold a piece of the password
        raise StoreUnsuitable(
            f"{hide_password(url)!r} is not a Redis URL:"
            " write redis://host:6379/0, rediss://…, unix:///path or sentinel://host:26379/0?service=name"
        ) from None


def _split(url: str) -> SplitResult:
    parts = urlsplit(url)
    # A # or ? in a password cuts the URL there, and makes a host of what stands before.
    cut = parts.fragment or ("@" in parts.netloc and "@" in parts.query)
    if parts.scheme not in SCHEMES or cut:
        raise ValueError
    return parts


def _database(parts: SplitResult) -> int:
    return int(parts.path.strip("/") or 0)


def _through_sentinel(parts: SplitResult, options: dict[str, Any]) -> redis.Redis:
    from redis.sentinel import Sentinel  # noqa: PLC0415

    query = parse_qs(parts.query)
    credentials, _, places = parts.netloc.rpartition("@")
    if "service" not in query or not places:
        raise ValueError
    hosts = [
        (host, int(port or 26379))
        for host, _, port in (p.partition(":") for p in places.split(","))
    ]
    username, _, password = credentials.partition(":")
    sentinel = Sentinel(hosts, socket_timeout=_TIMEOUT)
    master: redis.Redis = sentinel.master_for(
        query["service"][0],
        db=_database(parts),
        username=unquote(username) or None,
        password=unquote(password) or None,
        **options,
    )
    return master
