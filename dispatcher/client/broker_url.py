"""From the URL of a broker to what kombu wants to know of it, and Celery for its results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from dispatcher.client.rabbitmq_url import is_rabbitmq, rabbitmq_settings
from dispatcher.store import local_files
from dispatcher.store.errors import StoreUnsuitable
from dispatcher.store.redis_place import RedisPlace, place_of
from dispatcher.store.redis_url import sentinel_options
from dispatcher.values.masking import hide_password

REDIS_BROKERS = ("redis", "unix", "sentinel")


def is_redis(url: str) -> bool:
    """Return whether a broker is a Redis."""
    return url.startswith(REDIS_BROKERS)


def broker_url(url: str) -> str:
    """Return a Redis URL as kombu and Celery's results write it; others as they are.

    TLS behind sentinels is not in it: see `broker_settings`. Raises StoreUnsuitable for one that
    is none.
    """
    return _kombu_url(place_of(url)) if is_redis(url) else url


def broker_settings(url: str, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return Celery's settings for a broker, with further options of kombu's Redis transport.

    Raises StoreUnsuitable.
    """
    if is_rabbitmq(url):
        return rabbitmq_settings(url)
    if not is_redis(url):
        return {"broker_url": url}
    place = place_of(url)
    local_files.require(place)
    found: dict[str, Any] = {
        "broker_url": _kombu_url(place),
        "broker_transport_options": {**(options or {}), **_bounds(), **_sentinels(place)},
    }
    if place.tls:
        found["broker_use_ssl"] = dict(place.tls)
    return found


def result_settings(url: str) -> dict[str, Any]:
    """Return Celery's settings for results in a Redis. They know nothing of the broker's."""
    place = place_of(url)
    found: dict[str, Any] = {
        "result_backend": _kombu_url(place),
        "result_backend_transport_options": _sentinels(place),
    }
    if place.tls:
        found["redis_backend_use_ssl"] = dict(place.tls)
    return found


def sentinels(url: str) -> list[tuple[str, int]]:
    """Return the hosts and ports of the sentinels in a URL; none where it names none."""
    place = place_of(url) if is_redis(url) else None
    return list(place.hosts) if place and place.service is not None else []


def known_broker(url: str) -> str:
    """Return the URL, or raise StoreUnsuitable where kombu knows no such transport."""
    from kombu.transport import resolve_transport  # noqa: PLC0415

    try:
        resolve_transport(broker_url(url).partition("://")[0].partition("+")[0])  # redis+socket
        return url
    except (KeyError, ImportError):
        raise StoreUnsuitable(
            f"{hide_password(url)!r} is not the URL of a supported broker:"
            " write redis://host:6379/0 or amqp://user:password@host//"
        ) from None


NO_EMULATION: Mapping[str, Any] = {"ack_emulation": False}
"""The option of kombu's Redis transport for what needs no redelivery.

Its emulation of acknowledgements brings unacknowledged messages back after a visibility timeout.
Where the record is the truth and a message wakes somebody, that only costs: half of the speed,
and work delivered twice (docs/explanation/architecture.md)."""


def _bounds() -> dict[str, Any]:
    return {
        "socket_timeout": 10,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 10,
    }


def _sentinels(place: RedisPlace) -> dict[str, Any]:
    """Return what kombu, and Celery for its results, must be told of a master behind sentinels."""
    if place.service is None:
        return {}
    return {"master_name": place.service, "sentinel_kwargs": sentinel_options(place)}


def _kombu_url(place: RedisPlace) -> str:
    at = _credentials(place)
    if place.socket is not None:
        return f"redis+socket://{at}{place.socket}?virtual_host={place.database}"
    hosts = [f"{at}{f'[{host}]' if ':' in host else host}:{port}" for host, port in place.hosts]
    urls = [f"{place.scheme}://{host}/{place.database}" for host in hosts]
    if place.scheme == "rediss" and place.tls:
        urls[0] += f"?{urlencode(place.tls)}"
    return ";".join(urls)


def _credentials(place: RedisPlace) -> str:
    if place.username is None and place.password is None:
        return ""
    return f"{quote(place.username or '', safe='')}:{quote(place.password or '', safe='')}@"
