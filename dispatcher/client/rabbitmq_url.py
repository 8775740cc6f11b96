"""From the URL of a RabbitMQ to Celery's settings; options are spelt as in the URL of a Redis."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from dispatcher.store.errors import StoreUnsuitable
from dispatcher.values.masking import hide_password

SCHEMES = ("amqp", "amqps", "pyamqp")
_FILES = {"ssl_ca_certs": "ca_certs", "ssl_certfile": "certfile", "ssl_keyfile": "keyfile"}
_VERIFIED = {
    "required": ssl.CERT_REQUIRED,
    "optional": ssl.CERT_OPTIONAL,
    "none": ssl.CERT_NONE,
}
_KNOWN = (*_FILES, "ssl_cert_reqs", "ssl_check_hostname")
HEARTBEAT = 20
"""Seconds in which RabbitMQ and we must hear from each other, or the connection is taken for gone;
Celery's two minutes would be as long without a dial where a network went away silently."""

ANSWERED_WITHIN = 5
"""Seconds to wait for what RabbitMQ has to answer: one that hangs, or whose quorum queue has no
leader yet, would keep a worker waiting for good."""
WRITTEN_WITHIN = 5
"""Seconds to get rid of a message: one in alarm reads nothing, and whoever sends would hang."""


def is_rabbitmq(url: str) -> bool:
    """Return whether a broker is a RabbitMQ."""
    return url.partition("://")[0] in SCHEMES


def rabbitmq_settings(url: str) -> dict[str, Any]:
    """Return Celery's settings for the broker at an `amqp://` or `amqps://` URL.

    Raises StoreUnsuitable for an option that does not exist, or a file that cannot be read; no
    password is shown.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    _require_known(url, parts.scheme, query)
    found: dict[str, Any] = {
        "broker_url": urlunsplit(parts._replace(query="")),
        "broker_heartbeat": HEARTBEAT,
        "broker_transport_options": {
            "read_timeout": ANSWERED_WITHIN,
            "write_timeout": WRITTEN_WITHIN,
        },
    }
    if parts.scheme == "amqps":
        found["broker_use_ssl"] = _tls(url, query)
    return found


def _require_known(url: str, scheme: str, query: Mapping[str, str]) -> None:
    unknown = next((name for name in query if name not in _KNOWN), None)
    if unknown is not None:
        raise _wrong(url, f"has an unknown option, {unknown}: write one of {', '.join(_KNOWN)}")
    if query and scheme != "amqps":
        raise _wrong(url, f"has {next(iter(query))}, but no TLS: write amqps://")


def _tls(url: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Return what py-amqp is to verify: without a host's name it does not look whose certificate
    it is, and kombu gives it none unless it is asked to (`server_hostname`: that of the URL).
    """
    word = query.get("ssl_cert_reqs", "required").lower().removeprefix("cert_")
    if word not in _VERIFIED:
        raise _wrong(url, f"has ssl_cert_reqs={word!r}: write required, optional or none")
    found: dict[str, Any] = {"cert_reqs": _VERIFIED[word]}
    if word != "none" and query.get("ssl_check_hostname", "true").lower() in ("true", "yes", "1"):
        found["server_hostname"] = None
    for name, named in _FILES.items():
        if path := query.get(name):
            if not os.access(path, os.R_OK):
                raise _wrong(url, f"names a file that cannot be read, {name}={path}: correct it")
            found[named] = path
    return found


def _wrong(url: str, why: str) -> StoreUnsuitable:
    return StoreUnsuitable(f"{hide_password(url)!r} {why}")
