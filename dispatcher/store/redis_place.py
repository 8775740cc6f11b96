"""Where a Redis is, and what lets us in there: read from a URL, once, for all that connect.

docs/how-to/redis.md shows each kind of URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from dispatcher.store.errors import StoreUnsuitable
from dispatcher.values.masking import hide_password

SCHEMES = ("redis", "rediss", "unix", "sentinel")
_PORT, _PORT_OF_SENTINELS = 6379, 26379
_TLS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname")
FILES = _TLS[:3]
_OWN: Mapping[str, tuple[str, ...]] = {
    "redis": (),
    "rediss": _TLS,
    "unix": ("username", "password"),
    "sentinel": (
        "service",
        "sentinel_username",
        "sentinel_password",
        "tls",
        "sentinel_tls",
        *_TLS,
    ),
}
_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(frozen=True, slots=True)
class RedisPlace:
    """A server (`hosts` has one), a socket of this machine (`socket`), or the master that sentinels
    (`hosts`) call `service`.

    `tls`: how the servers' certificates are verified, by redis-py's names; None: without TLS.
    `sentinel_tls`: the same for the sentinels.
    """

    scheme: str
    hosts: tuple[tuple[str, int], ...] = ()
    socket: str | None = None
    database: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: Mapping[str, Any] | None = None
    service: str | None = None
    sentinel_username: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)
    sentinel_tls: Mapping[str, Any] | None = None


def place_of(url: str) -> RedisPlace:
    """Return what a URL says. Raises StoreUnsuitable; no password is shown."""
    try:
        parts = _split(url)
        query = _query(parts)
        _require_known(parts, query)
        return _place(parts, query)
    except _Wrong as wrong:
        raise StoreUnsuitable(f"{hide_password(url)!r} {wrong}") from None
    except ValueError:  # its words may hold a piece of the password
        raise StoreUnsuitable(
            f"{hide_password(url)!r} is not a Redis URL:"
            " write redis://host:6379/0, rediss://…, unix:///path or"
            " sentinel://host:26379/0?service=name"
        ) from None


class _Wrong(Exception):
    """What is wrong with a URL, without the URL."""


def _split(url: str) -> SplitResult:
    parts = urlsplit(url)
    # A # or ? in a password cuts the URL there, and makes a host of what stands before.
    cut = parts.fragment or ("@" in parts.netloc and "@" in parts.query)
    if parts.scheme not in SCHEMES or cut:
        raise ValueError
    return parts


def _query(parts: SplitResult) -> dict[str, str]:
    strict = bool(parts.query)
    return dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=strict))


def _require_known(parts: SplitResult, query: Mapping[str, str]) -> None:
    known = ("db", *_OWN[parts.scheme])
    for name in query:
        if name in known:
            continue
        if name in ("username", "password"):
            raise _Wrong("has a user or password behind the ?: write it before the host, and an @")
        if name in _TLS:
            raise _Wrong(f"has {name}, but no TLS: write rediss:// instead of redis://")
        if "@" in parts.query or "password" in parts.query:  # what stands there may be a piece
            raise ValueError
        raise _Wrong(f"has an unknown option, {name}: write one of {', '.join(known)}")


def _place(parts: SplitResult, query: Mapping[str, str]) -> RedisPlace:
    username, password = _credentials(parts, query)
    sentinel = parts.scheme == "sentinel"
    tls = _tls(parts, query)
    return RedisPlace(
        scheme=parts.scheme,
        hosts=_hosts(parts),
        socket=_socket(parts) if parts.scheme == "unix" else None,
        database=_database(parts, query),
        username=username,
        password=password,
        tls=tls,
        service=_service(query) if sentinel else None,
        sentinel_username=query.get("sentinel_username") or None,
        sentinel_password=query.get("sentinel_password") or None,
        sentinel_tls=tls if _flag(query, "sentinel_tls", default=tls is not None) else None,
    )


def _credentials(parts: SplitResult, query: Mapping[str, str]) -> tuple[str | None, str | None]:
    username, _, password = parts.netloc.rpartition("@")[0].partition(":")
    username, password = unquote(username), unquote(password)
    return query.get("username") or username or None, query.get("password") or password or None


def _hosts(parts: SplitResult) -> tuple[tuple[str, int], ...]:
    if parts.scheme == "unix":
        return ()
    sentinel = parts.scheme == "sentinel"
    given = parts.netloc.rpartition("@")[2]
    each = [urlsplit(f"//{place}") for place in (given.split(",") if sentinel else [given])]
    if sentinel and not all(part.hostname for part in each):
        raise ValueError
    port = _PORT_OF_SENTINELS if sentinel else _PORT
    return tuple((part.hostname or "localhost", part.port or port) for part in each)


def _socket(parts: SplitResult) -> str:
    if parts.netloc.rpartition("@")[2] or not parts.path.startswith("/") or parts.path == "/":
        raise _Wrong("does not name a socket: write its whole path, as in unix:///run/redis.sock")
    return parts.path


def _database(parts: SplitResult, query: Mapping[str, str]) -> int:
    path = "" if parts.scheme == "unix" else parts.path.strip("/")
    named = {text for text in (path, query.get("db", "")) if text}
    if len(named) > 1:
        raise _Wrong(f"names two databases ({', '.join(sorted(named))}): keep one")
    number = int(next(iter(named), 0))
    if number < 0:
        raise ValueError
    return number


def _service(query: Mapping[str, str]) -> str:
    if not query.get("service"):
        raise _Wrong("does not say what the sentinels call the master: add ?service=name")
    return query["service"]


def _tls(parts: SplitResult, query: Mapping[str, str]) -> dict[str, Any] | None:
    given: dict[str, Any] = {name: query[name] for name in _TLS if name in query}
    for name in FILES:
        if given.get(name) == "":
            raise _Wrong(f"has an empty {name}: write the path of the file, or leave it out")
    if "ssl_keyfile" in given and "ssl_certfile" not in given:
        raise _Wrong("has ssl_keyfile, but no certificate that it belongs to: add ssl_certfile=")
    if parts.scheme != "rediss" and not _flag(query, "tls"):
        if given:
            raise _Wrong(f"has {next(iter(given))}, but no TLS: add tls=true")
        return None
    given["ssl_cert_reqs"] = _verified(given.get("ssl_cert_reqs", "required"))
    given["ssl_check_hostname"] = _flag(query, "ssl_check_hostname", default=True)
    if given["ssl_cert_reqs"] == "none":
        given["ssl_check_hostname"] = False
    return given


def _verified(wanted: str) -> str:
    """Return redis-py's word for how certificates are verified; those of Python's ssl will do."""
    word = wanted.lower().removeprefix("cert_")
    if word not in ("required", "optional", "none"):
        raise _Wrong(
            f"has ssl_cert_reqs={wanted!r}, which is unknown: write required (the default),"
            " optional or none"
        )
    return word


def _flag(query: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    word = query.get(name, "").lower()
    if word and word not in (*_YES, *_NO):
        raise _Wrong(f"has {name}={query[name]!r}: write true or false")
    return word in _YES if word else default
