"""From a URL to a Redis connection, and from Redis' complaints to plain sentences.

redis-py is loaded by who connects, not by who imports this: it brings all of asyncio along.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from dispatcher.errors import DispatcherError, UsageError
from dispatcher.store.schema import mismatch
from dispatcher.values.server_version import NEEDED, ServerVersion

if TYPE_CHECKING:
    import redis
    from redis import exceptions

SCHEMES = ("redis", "rediss", "unix", "sentinel")
_TIMEOUT = 5.0  # a Redis that has not answered by then is as good as gone


class StoreUnavailable(DispatcherError):
    """Redis cannot be reached or does not let us in; what was asked for may not have been done."""


class StoreUnsuitable(UsageError):
    """This Redis will not do; the message says why and what to change."""


class OtherSchema(StoreUnsuitable):
    """The records in Redis are of a schema that this process does not know, or are migrated."""


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


def hide_password(url: str) -> str:
    """Return the URL with everything that lets somebody in left out."""
    secret, at, place = url.rpartition("@")
    scheme, separator, _ = secret.partition("://")
    if "?" in secret:  # whether the @ ends the password or is a part of one, nobody can tell
        place = ""
    shown = f"{scheme}://" if separator else ""
    return f"{shown}{'***@' if at else ''}{place.partition('?')[0]}"


@contextmanager
def plain_errors(where: str = "Redis") -> Iterator[None]:
    """Turn what redis-py raises into StoreUnavailable or StoreUnsuitable with a remedy."""
    try:
        yield
    except Exception as error:
        told = _told(where, error)
        if told is None:
            raise
        raise told from None


def _told(where: str, error: Exception) -> DispatcherError | None:
    """Return the error in our words; None for what is not Redis' to say."""
    from redis import exceptions  # noqa: PLC0415

    if isinstance(error, exceptions.AuthenticationError):
        return StoreUnavailable(_LOCKED_OUT.format(where=where))
    if isinstance(error, exceptions.ConnectionError | exceptions.TimeoutError | UnicodeError):
        return StoreUnavailable(f"{where} cannot be reached ({_brief(error)}): is it running?")
    if isinstance(error, exceptions.ResponseError):
        return _refusal(where, error)
    return None


_LOCKED_OUT = (
    "{where} needs a password, or another one: put it into the URL (redis://:password@host/0)"
)


_CODES = {
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "MasterDownError": "MASTERDOWN",
    "ClusterDownError": "CLUSTERDOWN",
    "TryAgainError": "TRYAGAIN",
    "NoScriptError": "NOSCRIPT",
}
"""What redis-py makes classes of, whose words then lack the code that Redis sent."""


def _refusal(where: str, error: exceptions.ResponseError) -> DispatcherError:
    text = f"{_CODES.get(type(error).__name__, '')} {error}".lstrip()
    if text.startswith(("NOAUTH", "WRONGPASS", "NOPERM")) or "authentication" in text.lower():
        return StoreUnavailable(_LOCKED_OUT.format(where=where))
    return _not_now(where, text) or _unsuitable(where, text)


_NOT_READY = (
    *("LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "NOSCRIPT"),
    "NOREPLICAS",
)


def _not_now(where: str, text: str) -> StoreUnavailable | None:
    if text.startswith(_NOT_READY):
        return StoreUnavailable(
            f"{where} is not ready ({text.split(' ', maxsplit=1)[0]}): try again in a moment"
        )
    if text.startswith("OOM"):
        return StoreUnavailable(f"{where} is out of memory: raise maxmemory or purge old jobs")
    if text.startswith("MISCONF"):
        return StoreUnavailable(f"{where} cannot write to its disk: see its log")
    return None


def _unsuitable(where: str, text: str) -> StoreUnsuitable:
    if text.startswith("SCHEMA "):
        return OtherSchema(mismatch(text.removeprefix("SCHEMA ")))
    if text.startswith("unknown command"):  # the rest repeats the arguments, a password included
        command = text.partition(",")[0].removeprefix("unknown command ")
        return StoreUnsuitable(f"{where} does not know {command}: {NEEDED} is needed")
    return StoreUnsuitable(f"{where} refused an operation: {text[:300]}")


def _brief(error: Exception) -> str:
    return hide_password(str(error).splitlines()[0][:200]) if str(error) else type(error).__name__


def check_version(client: redis.Redis) -> ServerVersion:
    """Return the server's version, or raise StoreUnsuitable where it is too old."""
    with plain_errors():
        version = ServerVersion.of_info(client.info("server"))
    if not version.will_do:
        raise StoreUnsuitable(f"{version} is too old: {NEEDED} is needed")
    return version
