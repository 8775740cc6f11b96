"""Who is at the other end: the address of a client, also behind a proxy that we trust."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Headers = Iterable[tuple[bytes, bytes]]

_SAID_BY_PROXIES = b"x-forwarded-for"
_ONE_CLIENT = 64
"""Bits of an IPv6 address that are one client's: it has all addresses below them."""
_LONGEST = 45
"""Characters of an address; what is longer, as strangers may write it, is not kept."""


def client_address(peer: str, headers: Headers, trusted: Sequence[Network]) -> str:
    """Return the client's address: the peer's, or what trusted proxies say of who is before them.

    `X-Forwarded-For` is read from its end, which the nearest proxy wrote, and only as far as those
    who wrote it are trusted: what a client writes itself stands before that.
    """
    found = peer
    for hop in reversed(_hops(headers)):
        if not is_in(found, trusted):
            break
        address = _read(hop)
        if address is None:
            break
        found = str(address)
    return found


def is_in(address: str, networks: Sequence[Network]) -> bool:
    """Whether an address is in one of the networks; what is no address is in none."""
    read = _read(address)
    return read is not None and any(
        read.version == network.version and read in network for network in networks
    )


def is_one_client(address: str, trusted: Sequence[Network]) -> bool:
    """Whether who comes from an address counts as one client.

    Not so this machine, where a proxy may be that says nothing of who is before it, and not so a
    trusted proxy that says nothing.
    """
    read = _read(address)
    return read is not None and not read.is_loopback and not is_in(address, trusted)


def is_this_machine(address: str) -> bool:
    """Whether an address is one of this machine's own that no other reaches."""
    read = _read(address)
    return read is not None and read.is_loopback


def group(address: str) -> str:
    """Return what all addresses of one client have in common."""
    read = _read(address)
    if isinstance(read, IPv6Address):
        return str(ip_network((read, _ONE_CLIENT), strict=False))
    return address if read is None else str(read)


def _hops(headers: Headers) -> list[str]:
    said = [value.decode("latin-1") for name, value in headers if name == _SAID_BY_PROXIES]
    return [hop.strip() for hop in ",".join(said).split(",") if hop.strip()]


def _read(text: str) -> Address | None:
    return _read_lately(text) if len(text) <= _LONGEST else _read_anew(text)


def _read_anew(text: str) -> Address | None:
    try:
        read = ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = read.ipv4_mapped if isinstance(read, IPv6Address) else None
    return mapped or read


_read_lately = lru_cache(maxsize=1024)(_read_anew)
"""Each request of a client asks for the same few."""
