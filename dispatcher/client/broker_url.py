"""From the URL of a broker to what kombu wants to know of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from dispatcher.store.errors import StoreUnsuitable
from dispatcher.store.redis_url import normal, sentinel_options, service
from dispatcher.values.masking import hide_password

REDIS_BROKERS = ("redis", "unix", "sentinel")


def broker_url(url: str) -> str:
    """Return a Redis URL as kombu and Celery's results write it; others as they are.

    Raises StoreUnsuitable for one that is none.
    """
    if not url.startswith(REDIS_BROKERS):
        return url
    url = normal(url)
    if url.startswith("unix://"):
        return _socket(urlsplit(url))
    if url.startswith("sentinel://"):
        parts = urlsplit(url)
        credentials, at, places = parts.netloc.rpartition("@")
        return ";".join(
            f"sentinel://{credentials}{at}{place}{parts.path}" for place in places.split(",")
        )
    return url


def _socket(parts: SplitResult) -> str:
    query = dict(parse_qsl(parts.query))
    user = query.get("username", unquote(parts.netloc.rpartition("@")[0]))
    password = query.get("password", "")
    credentials = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user or password else ""
    return f"redis+socket://{credentials}{parts.path}?virtual_host={query.get('db', 0)}"


def transport_options(url: str) -> dict[str, Any]:
    """Return kombu's options for a broker URL: bounded waits, no emulated acknowledgement.

    The acknowledgement emulation of the Redis transport brings unacknowledged messages back
    after a visibility timeout. Where the record is the truth and a sweep sends lost messages
    again that only costs: half of the speed, and jobs delivered twice (docs/architecture.md).
    """
    if not url.startswith(REDIS_BROKERS):
        return {}
    return {"ack_emulation": False, **redis_options(url)}


def known_broker(url: str) -> str:
    """Return the URL, or raise StoreUnsuitable where kombu knows no such transport."""
    from kombu.transport import resolve_transport  # noqa: PLC0415

    try:
        resolve_transport(broker_url(url).partition("://")[0])
        return url
    except (KeyError, ImportError):
        raise StoreUnsuitable(
            f"{hide_password(url)!r} is not the URL of a supported broker:"
            " write redis://host:6379/0 or amqp://user:password@host//"
        ) from None


def redis_options(url: str) -> dict[str, Any]:
    """Return what any use of a Redis broker wants: bounded waits, the sentinels' master."""
    options: dict[str, Any] = {
        "socket_timeout": 10,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }
    return options | sentinel_transport(url)


def sentinel_transport(url: str) -> dict[str, Any]:
    """Return what kombu, and Celery for its results, must be told of a master behind sentinels."""
    if not url.startswith("sentinel"):
        return {}
    return {"master_name": service(url), "sentinel_kwargs": sentinel_options(url)}
