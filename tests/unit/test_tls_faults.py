"""What is wrong with a TLS connection is said in words: real servers, real certificates."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
import trustme

from dispatcher.cli.doctor_outside import gateway
from dispatcher.client.broker_check import require_suitable_broker
from dispatcher.client.broker_rights import Part
from dispatcher.errors import DispatcherError
from dispatcher.provider import NeverReached
from dispatcher.provider.base import Timeouts
from dispatcher.provider.xoxzo import REGISTRATION
from dispatcher.values.tls_faults import TlsFault, tls_fault
from workers.engine.callback_test import send

NOW, DAY = datetime.now(UTC), timedelta(days=1)
VALID = {
    TlsFault.EXPIRED: {"not_before": NOW - 9 * DAY, "not_after": NOW - DAY},
    TlsFault.NOT_YET: {"not_before": NOW + DAY, "not_after": NOW + 9 * DAY},
}
CASES = [TlsFault.OTHER_HOST, *VALID, TlsFault.UNKNOWN_AUTHORITY, TlsFault.NO_TLS]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(autouse=True)
def bundle(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    return path


def _context(authority: trustme.CA, wrong: TlsFault) -> ssl.SSLContext | None:
    if wrong is TlsFault.NO_TLS:
        return None
    host = "other.example" if wrong is TlsFault.OTHER_HOST else "127.0.0.1"
    issuer = trustme.CA() if wrong is TlsFault.UNKNOWN_AUTHORITY else authority
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert(host, **VALID.get(wrong, {})).configure_cert(context)
    return context


@contextmanager
def place(authority: trustme.CA, wrong: TlsFault) -> Iterator[int]:
    """Listen, and shake hands, or answer what is no TLS; yields the port."""
    context, listener = _context(authority, wrong), socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                _meet(listener.accept()[0], context)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def _meet(end: socket.socket, context: ssl.SSLContext | None) -> None:
    with end, suppress(OSError):
        if context:
            context.wrap_socket(end, server_side=True).close()
        else:
            end.recv(100)
            end.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def wrong(request: pytest.FixtureRequest) -> TlsFault:
    found: TlsFault = request.param
    return found


def test_what_openssl_says_is_understood(authority: trustme.CA, wrong: TlsFault) -> None:
    with place(authority, wrong) as port, pytest.raises(requests.RequestException) as caught:
        requests.get(f"https://127.0.0.1:{port}/", timeout=5)
    assert tls_fault(caught.value) is wrong


def test_the_provider(authority: trustme.CA, wrong: TlsFault) -> None:
    with place(authority, wrong) as port:
        account = {
            "XOXZO_API_HOST": f"https://127.0.0.1:{port}",
            "XOXZO_API_SID": "sid",
            "XOXZO_API_AUTH_TOKEN": "token",
        }
        settings = REGISTRATION.settings.read(account)
        provider = REGISTRATION.connect(settings, Timeouts(read=5), 1)
        with closing(provider), pytest.raises(NeverReached, match=wrong):
            provider.balance()


def test_the_public_url(authority: trustme.CA, wrong: TlsFault) -> None:
    with place(authority, wrong) as port:
        assert send(f"https://127.0.0.1:{port}/callbacks/test") == wrong


def test_doctor_and_thegateway(authority: trustme.CA, wrong: TlsFault) -> None:
    with place(authority, wrong) as port:
        assert (
            f"is not to be trusted from here: {wrong}" in gateway(f"https://127.0.0.1:{port}").says
        )


def test_rabbitmq(authority: trustme.CA, wrong: TlsFault, bundle: Path) -> None:
    says = {
        TlsFault.EXPIRED: f"the broker is not to be trusted: {wrong}",
        TlsFault.NOT_YET: f"the broker is not to be trusted: {wrong}",
        TlsFault.NO_TLS: "the broker does not speak TLS on this port",
    }
    with place(authority, wrong) as port:
        url = f"amqps://me:hunter2@127.0.0.1:{port}/?ssl_ca_certs={bundle}"
        with pytest.raises(DispatcherError) as caught:
            require_suitable_broker(url, Part.PRODUCER, "vd")
    assert says.get(wrong, "the broker's certificate is not trusted") in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_what_says_nothing_of_tls_is_left_alone() -> None:
    assert tls_fault(ConnectionRefusedError(111, "Connection refused")) is None
