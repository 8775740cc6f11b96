"""The files of this machine that a Redis URL names: looked at before anything is sent.

OpenSSL says of most mistakes in them no more than `PEM lib`.
"""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path

from dispatcher.store.errors import StoreUnsuitable
from dispatcher.store.redis_place import FILES, RedisPlace


def require(place: RedisPlace) -> None:
    """Raise StoreUnsuitable where a file with a certificate or key cannot be read or is none, or
    where a socket is something else. A socket that is not there may come.
    """
    if place.socket is not None:
        _require_socket(place.socket)
    options = place.tls or place.sentinel_tls or {}
    named = {name: str(options[name]) for name in FILES if options.get(name)}
    for name, path in named.items():
        if not (os.access(path, os.R_OK) and Path(path).is_file()):
            raise _wrong(name, path, "cannot be read: correct it")
    if "ssl_ca_certs" in named:
        _require_authority(named["ssl_ca_certs"])
    if "ssl_certfile" in named:
        _require_pair(named["ssl_certfile"], named.get("ssl_keyfile"))


def _wrong(name: str, path: str, says: str) -> StoreUnsuitable:
    return StoreUnsuitable(f"{name}={path} of the Redis URL {says}")


def _require_socket(path: str) -> None:
    try:
        there = stat.S_ISSOCK(Path(path).stat().st_mode)
    except OSError:
        return
    if not there:
        raise StoreUnsuitable(
            f"{path} of the Redis URL is no socket: write what `unixsocket` in the server's"
            " configuration says"
        )


def _require_authority(path: str) -> None:
    try:
        _context().load_verify_locations(path)
    except (OSError, ValueError):
        raise _wrong(
            "ssl_ca_certs", path, "holds no certificate: name the authority's file, in PEM form"
        ) from None


def _require_pair(certificate: str, key: str | None) -> None:
    """Raise StoreUnsuitable where a certificate and its key, which may be in the same file, will
    not do together.
    """
    try:
        _context().load_verify_locations(certificate)
    except (OSError, ValueError):
        says = "holds no certificate: name your own one's file, in PEM form"
        raise _wrong("ssl_certfile", certificate, says) from None
    name, path = ("ssl_keyfile", key) if key else ("ssl_certfile", certificate)
    try:
        _context().load_cert_chain(certificate, key, password=_Passphrase(name, path))
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            says = f"is the key of another certificate than ssl_certfile={certificate}"
            raise _wrong(name, path, f"{says}: name the one that it was made with") from None
        says = "holds no key that can be read: name the file with the private key, in PEM form"
        raise _wrong(name, path, says) from None


class _Passphrase:
    """Asked for by OpenSSL, which would else ask the terminal, and wait."""

    def __init__(self, name: str, path: str) -> None:
        self._name, self._path = name, path

    def __call__(self) -> str:
        """Raise StoreUnsuitable: there is none."""
        says = "is locked by a passphrase: store the key without one, readable for this user alone"
        raise _wrong(self._name, self._path, says)


def _context() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
