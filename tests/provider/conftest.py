"""A scripted server on loopback, and clients for it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme

from dispatcher.provider.xoxzo.client import VoiceClient
from dispatcher.provider.xoxzo.session import Credentials
from support.provider_wire import TOKEN, Answer, Wire


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def serve(stack: ExitStack) -> Callable[..., Wire]:
    """Start a server: `serve(answer, …)`."""
    return lambda *answers, **options: stack.enter_context(Wire(list(answers), **options))


@pytest.fixture
def client_for(stack: ExitStack) -> Callable[..., VoiceClient]:
    """Make a client of a URL, with timeouts fit for a test."""

    def make(url: str, **options: object) -> VoiceClient:
        options = {"connect_timeout": 2.0, "read_timeout": 5.0, **options}
        return stack.enter_context(VoiceClient(Credentials("sid", TOKEN), host=url, **options))

    return make


@pytest.fixture
def ask(
    serve: Callable[..., Wire], client_for: Callable[..., VoiceClient]
) -> Callable[..., VoiceClient]:
    """Return a client whose requests get these answers."""

    def make(*answers: Answer, **options: object) -> VoiceClient:
        return client_for(serve(*answers).url, **options)

    return make


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate for 127.0.0.1 that nobody known has signed."""
    both = tmp_path_factory.mktemp("tls") / "both.pem"
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(both))
    authority.cert_pem.write_to_path(str(both), append=True)
    return both


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def serve_tls(serve: Callable[..., Wire], tls: ssl.SSLContext) -> Callable[..., Wire]:
    return lambda *answers: serve(*answers, tls=tls)
