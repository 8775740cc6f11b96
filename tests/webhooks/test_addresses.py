"""Where a webhook may go: to public addresses, whatever way they are written in."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_network
from typing import Any

import pytest

from support.ports import free_port
from support.webhook_receiver import Receiver
from workers.webhooks.addresses import Addresses, ForbiddenTarget
from workers.webhooks.racing import MOST, first_that_answers, in_turn
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


def test_a_dead_address_does_not_eat_the_time_of_the_others(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    """The first answers nothing at all, as one behind a firewall does."""
    with silent_address() as (dead, port), listening("127.0.0.1", port):
        _resolve(monkeypatch, [dead, "127.0.0.1"])
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            first_that_answers(socket.getaddrinfo("two.example", port)[:1], 0.3)
        assert time.monotonic() - began >= 0.3
        began = time.monotonic()
        connection = Addresses((ip_network("127.0.0.0/8"),)).connect("two.example", port, 20)
        assert time.monotonic() - began < 10  # 0.25 s, on a machine that is not busy
        with connection:
            assert connection.getpeername()[0] == "127.0.0.1"
            assert connection.gettimeout() == 20


def test_a_name_that_nobody_resolves_takes_no_longer_than_one_that_answers_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    let_go = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: let_go.wait(60))
    began = time.monotonic()
    reply = Wire(Addresses(), 0.3, 1).post("http://slow.example/", b"{}", {})
    let_go.set()
    assert reply.error == "it did not answer in time"
    assert time.monotonic() - began < 30


def test_both_families_have_their_turn_and_no_name_has_many_addresses_tried() -> None:
    def found(family: socket.AddressFamily, address: str) -> Any:
        return (family, socket.SOCK_STREAM, 6, "", (address, 80))

    six = [found(socket.AF_INET6, f"2001:db8::{n}") for n in range(30)]
    four = [found(socket.AF_INET, f"192.0.2.{n}") for n in range(2)]
    tried = [each[4][0] for each in in_turn([*six, *four])]
    assert tried[:5] == ["2001:db8::0", "192.0.2.0", "2001:db8::1", "192.0.2.1", "2001:db8::2"]
    assert len(tried) == MOST
    assert list(in_turn([])) == []


def test_where_no_address_answers_the_last_error_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    _resolve(monkeypatch, ["127.0.0.2", "127.0.0.3"])
    with pytest.raises(ConnectionRefusedError):
        Addresses((ip_network("127.0.0.0/8"),)).connect("gone.example", port, 5)


@contextmanager
def listening(address: str, port: int) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen()
        yield listener


@contextmanager
def silent_address() -> Iterator[tuple[str, int]]:
    """Give an address and a port that drop what is sent: a queue that is full, on Linux."""
    with ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.bind(("127.0.0.2", 0))
        listener.listen(0)
        for _ in range(10):
            waiting = held.enter_context(socket.socket())
            waiting.settimeout(0.3)
            try:
                waiting.connect(listener.getsockname())
            except TimeoutError:
                yield listener.getsockname()
                return
        pytest.skip("this system takes connections that nobody accepts")


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
