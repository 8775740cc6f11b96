"""Whose address counts: the peer's, unless proxies that are trusted name somebody before them."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from workers.gateway.addresses import client_address, group, is_in, is_one_client

PROXIES = (ip_network("10.0.0.0/24"), ip_network("fd00::/64"))


def seen(peer: str, *said: str) -> str:
    headers = [(b"host", b"x"), *((b"x-forwarded-for", each.encode()) for each in said)]
    return client_address(peer, headers, PROXIES)


@pytest.mark.parametrize(
    ("peer", "said", "client"),
    [
        ("10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        # two proxies, each of which says who was before it
        ("10.0.0.1", ["192.0.2.7, 10.0.0.2"], "192.0.2.7"),
        ("10.0.0.1", ["192.0.2.7", "10.0.0.2"], "192.0.2.7"),
        # what the client wrote itself stands before what the proxy wrote
        ("10.0.0.1", ["127.0.0.1, 192.0.2.7"], "192.0.2.7"),
        ("10.0.0.1", ["198.51.100.1", "192.0.2.7"], "192.0.2.7"),
        # nobody believes a stranger
        ("192.0.2.7", ["198.51.100.1"], "192.0.2.7"),
        # what is no address says nothing
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.7, \xff"], "10.0.0.1"),
        ("10.0.0.1", [", ,"], "10.0.0.1"),
        ("", ["192.0.2.7"], ""),
    ],
)
def test_the_nearest_that_is_not_trusted_is_the_client(
    peer: str, said: list[str], client: str
) -> None:
    assert seen(peer, *said) == client


def test_a_client_of_ipv6_has_all_addresses_of_its_network() -> None:
    assert group("2001:db8:0:1::1") == group("2001:db8:0:1:ffff::2") != group("2001:db8:0:2::1")
    assert group("::ffff:192.0.2.7") == group("192.0.2.7") != group("192.0.2.8")


@pytest.mark.parametrize(
    ("address", "one"),
    [
        ("192.0.2.7", True),
        ("192.168.0.7", True),
        ("127.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_this_machine_and_a_silent_proxy_may_be_many_clients(address: str, one: bool) -> None:
    assert is_one_client(address, PROXIES) is one


def test_an_address_is_in_networks_of_its_own_kind_alone() -> None:
    everywhere = (ip_network("0.0.0.0/0"),)
    assert is_in("192.0.2.7", everywhere)
    assert not is_in("2001:db8::1", everywhere)
