"""Which addresses a webhook may go to: a URL is hostile input, and so is what it resolves to."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from workers.webhooks.racing import first_that_answers
from workers.webhooks.resolving import addresses_of

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = ip_network("64:ff9b::/96")


class ForbiddenTarget(OSError):
    """The name resolves to an address that webhooks may not go to; the message names it."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Public addresses, and those of networks that the operator allows by a setting ('': none)."""

    allowed: tuple[Network, ...] = ()
    setting: str = "DISPATCHER_WEBHOOK_ALLOW_PRIVATE"

    def permit(self, text: str) -> bool:
        """Whether a webhook may go to an address, and to all that it leads on to."""
        address = ip_address(text)
        if any(address in network for network in self.allowed):
            return True
        inner = list(_inside(address))
        if inner:
            return all(self.permit(str(each)) for each in inner)
        return address.is_global and not (
            address.is_multicast
            or address.is_reserved
            or address.is_unspecified
            or (isinstance(address, IPv6Address) and address.is_site_local)
        )

    def connect(self, host: str, port: int, timeout: float) -> socket.socket:
        """Return a connection to the first address of `host` that answers, all of it within
        `timeout` seconds.

        The address that was looked at is the one that is connected to: a name that resolves to
        another one a moment later gains nothing. One forbidden address forbids them all.
        Raises ForbiddenTarget, OSError.
        """
        until = time.monotonic() + timeout
        found = addresses_of(host, port, timeout)
        for *_, place in found:
            if not self.permit(str(place[0])):
                allows = f": {self.setting} allows it" if self.setting else ""
                raise ForbiddenTarget(
                    f"{host} is at {place[0]}, which is not a public address{allows}"
                )
        connection = first_that_answers(found, max(0.01, until - time.monotonic()))
        connection.settimeout(timeout)  # what follows, such as TLS, has time of its own
        return connection


def _inside(address: Address) -> Iterator[Address]:
    """Yield the IPv4 address that an IPv6 address stands for, or leads on to."""
    if isinstance(address, IPv6Address):
        yield from (each for each in (address.ipv4_mapped, address.sixtofour) if each is not None)
        if address in _NAT64:
            yield IPv4Address(int(address) & 0xFFFFFFFF)
