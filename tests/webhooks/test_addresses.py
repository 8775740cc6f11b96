"""Where a webhook may go: to public addresses, whatever way they are written in."""

from __future__ import annotations

import socket
from ipaddress import ip_network
from typing import Any

import pytest

from support.webhook_receiver import Receiver
from workers.webhooks.addresses import Addresses, ForbiddenTarget
from workers.webhooks.wire import Wire

PUBLIC = ["8.8.8.8", "203.0.114.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
FORBIDDEN = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.9.9.9",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "2001:0:808:808::f7f7:f7f7",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_permitted(address: str) -> None:
    assert Addresses().permit(address)


@pytest.mark.parametrize("address", FORBIDDEN)
def test_others_are_not_unless_all_are(address: str) -> None:
    assert not Addresses().permit(address)
    everything = Addresses((ip_network("0.0.0.0/0"), ip_network("::/0")))
    assert everything.permit(address.partition("%")[0])


def test_a_network_may_be_allowed_and_no_more_than_that() -> None:
    some = Addresses((ip_network("10.1.0.0/16"), ip_network("fd00::/8")))
    assert some.permit("10.1.2.3")
    assert some.permit("fd12::1")
    assert some.permit("::ffff:10.1.2.3")
    assert not some.permit("10.2.2.3")
    assert not some.permit("127.0.0.1")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
    ],
)
def test_no_way_of_writing_this_machine_reaches_it(receiver: Receiver, host: str) -> None:
    port = receiver.url.rpartition(":")[2]
    reply = Wire(Addresses(), 1, 1).post(f"http://{host}:{port}/", b"{}", {})
    assert reply.status is None
    # Where a system does not read a way of writing it, the name does not resolve: as good.
    assert "not a public address" in reply.error or "does not resolve" in reply.error
    assert not receiver.got


def test_a_name_with_one_forbidden_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolve(monkeypatch, ["203.0.114.1", "127.0.0.1"])
    with pytest.raises(ForbiddenTarget, match=r"two-faced\.example is at 127.0.0.1"):
        Addresses().connect("two-faced.example", 80, 1)


def test_the_address_that_was_looked_at_is_connected_to(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    """A name that changes its mind between the look and the connection: DNS rebinding."""
    asked = _resolve(monkeypatch, ["127.0.0.1"], then=["127.0.0.2"])
    port = int(receiver.url.rpartition(":")[2])
    only = Addresses((ip_network("127.0.0.1/32"),))
    with only.connect("rebinding.example", port, 1) as connection:
        assert connection.getpeername()[0] == "127.0.0.1"
    assert asked == ["rebinding.example"]


def test_the_next_address_is_tried_where_one_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    _resolve(monkeypatch, ["127.0.0.2", "127.0.0.1"])
    port = int(receiver.url.rpartition(":")[2])
    with Addresses((ip_network("127.0.0.0/8"),)).connect("two.example", port, 1) as connection:
        assert connection.getpeername()[0] == "127.0.0.1"


def _resolve(
    monkeypatch: pytest.MonkeyPatch, first: list[str], then: list[str] | None = None
) -> list[str]:
    asked: list[str] = []

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        found = then if asked and then else first
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked
