"""From a URL to a Redis connection.

redis-py is loaded by who connects, not by who imports this: it brings all of asyncio along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from dispatcher.store.errors import StoreUnsuitable
from dispatcher.values.masking import hide_password

if TYPE_CHECKING:
    import redis

SCHEMES = ("redis", "rediss", "unix", "sentinel")
_TIMEOUT = 5.0  # a Redis that has not answered by then is as good as gone
_SENTINEL_TIMEOUT = 0.4  # seconds to connect, and again to answer: the next one knows as well


def connect(url: str) -> redis.Redis:
    """Return a client for `redis://`, `rediss://`, `unix://` or
    `sentinel://host:port,host:port/db?service=name`; docs/redis.md lists the options. Nothing is
    sent yet.

    Raises StoreUnsuitable for a URL that is none of these; its password is never shown.
    """
    import redis  # noqa: PLC0415
    from redis.backoff import ExponentialBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    try:
        place = normal(url)
        parts = urlsplit(place)
        options: dict[str, Any] = {
            "socket_timeout": _TIMEOUT,
            "socket_connect_timeout": _TIMEOUT,
            "health_check_interval": 30,
            "retry": Retry(ExponentialBackoff(cap=0.5, base=0.05), 2),
        }
        if parts.scheme == "sentinel":
            return _through_sentinel(parts, options)
        client = redis.Redis.from_url(place, **options)
        client.connection_pool.make_connection()  # else an unknown option shows when used
        return client
    except (ValueError, TypeError):  # their words may hold a piece of the password
        raise _no_redis_url(url) from None


def _no_redis_url(url: str) -> StoreUnsuitable:
    return StoreUnsuitable(
        f"{hide_password(url)!r} is not a Redis URL:"
        " write redis://host:6379/0, rediss://…, unix:///path or sentinel://host:26379/0?service=name"
    )


def normal(url: str) -> str:
    """Return the same URL as all that read one understand it: the database in the path (of
    `unix://` in the query), and certificates verified unless it says otherwise.

    Raises StoreUnsuitable.
    """
    try:
        return _normal(url)
    except ValueError:
        raise _no_redis_url(url) from None


def _normal(url: str) -> str:
    parts = _split(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    if parts.scheme == "unix":
        int(query.get("db", 0))  # redis-py takes what is no number for 0
        return url
    path = parts.path.strip("/")
    database = {text for text in (path, query.pop("db", "")) if text}
    if len(database) > 1:
        raise StoreUnsuitable(
            f"{hide_password(url)!r} names two databases ({', '.join(sorted(database))}): keep one"
        )
    number = int(next(iter(database), 0))
    if parts.scheme == "rediss":
        query["ssl_cert_reqs"] = _certificates(query.get("ssl_cert_reqs", "required"))
    return parts._replace(path=f"/{number}", query=urlencode(query)).geturl()


def _certificates(wanted: str) -> str:
    """Return redis-py's word for how certificates are verified; those of Python's ssl will do."""
    word = wanted.lower().removeprefix("cert_")
    if word not in ("required", "optional", "none"):
        raise StoreUnsuitable(
            f"ssl_cert_reqs={wanted!r} is unknown: write required (the default), optional or none"
        )
    return word


def sentinel_options(url: str) -> dict[str, Any]:
    """Return what asking the sentinels wants: bounds, and what lets us in there.

    One that is dead or silent is passed over within a second.
    """
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    query = dict(parse_qsl(urlsplit(url).query))
    options: dict[str, Any] = {
        "socket_timeout": _SENTINEL_TIMEOUT,
        "socket_connect_timeout": _SENTINEL_TIMEOUT,
        "retry": Retry(NoBackoff(), 0),
    }
    for name in ("username", "password"):
        if given := query.get(f"sentinel_{name}"):
            options[name] = given
    return options


def service(url: str) -> str:
    """Return what the sentinels call the master. Raises StoreUnsuitable where that is not said."""
    named = dict(parse_qsl(urlsplit(url).query)).get("service")
    if not named:
        raise _no_redis_url(url)
    return named


def sentinels(url: str) -> list[tuple[str, int]]:
    """Return the places of the sentinels. Raises ValueError."""
    places = urlsplit(url).netloc.rpartition("@")[2].split(",")
    parts = [urlsplit(f"//{place}") for place in places]
    if not all(part.hostname for part in parts):
        raise ValueError
    return [(str(part.hostname), part.port or 26379) for part in parts]


def _split(url: str) -> SplitResult:
    parts = urlsplit(url)
    # A # or ? in a password cuts the URL there, and makes a host of what stands before.
    cut = parts.fragment or ("@" in parts.netloc and "@" in parts.query)
    if parts.scheme not in SCHEMES or cut:
        raise ValueError
    return parts


def _database(parts: SplitResult) -> int:
    return int(parts.path.strip("/") or 0)


_OF_SENTINELS = {"service", "sentinel_username", "sentinel_password"}


def _through_sentinel(parts: SplitResult, options: dict[str, Any]) -> redis.Redis:
    from redis.sentinel import Sentinel  # noqa: PLC0415

    url = parts.geturl()
    if dict(parse_qsl(parts.query)).keys() - _OF_SENTINELS:
        raise ValueError
    credentials = parts.netloc.rpartition("@")[0]
    username, _, password = credentials.partition(":")
    sentinel = Sentinel(sentinels(url), sentinel_kwargs=sentinel_options(url))
    master: redis.Redis = sentinel.master_for(
        service(url),
        db=_database(parts),
        username=unquote(username) or None,
        password=unquote(password) or None,
        **options,
    )
    return master
