"""What a client takes from its arguments and, once, from the network's environment variables."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dispatcher.errors import DispatcherError
from dispatcher.provider import Misconfigured
from dispatcher.provider.xoxzo.client import VoiceClient
from dispatcher.provider.xoxzo.session import Credentials
from support.provider_wire import TOKEN, http

BALANCE = http(200, {"credits": 7})


@pytest.mark.parametrize(
    "host",
    [
        "",
        "api.xoxzo.com",
        "api.xoxzo.com:443",
        "ftp://api.xoxzo.com",
        "https://",
        "https:///voice",
        "https://api xoxzo.com",
        "https://api.xoxzo.com:port",
        "https://api.xoxzo.com:99999",
        "https://[::1",
        "https://*.xoxzo.com",
        "https://api.xoxzo.com/?a=b",
        "https://api.xoxzo.com/#a",
    ],
)
def test_a_host_that_is_none_is_refused_with_its_value(host: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        VoiceClient(Credentials("sid", TOKEN), host=host)
    assert repr(host) in str(caught.value)
    assert "https://api.xoxzo.com" in str(caught.value)
    assert isinstance(caught.value, DispatcherError)
    assert isinstance(caught.value, ValueError)


def test_a_password_in_the_host_is_refused_and_not_shown() -> None:
    with pytest.raises(Misconfigured) as caught:
        VoiceClient(Credentials("sid", TOKEN), host="https://sid:pa55word@api.xoxzo.com")
    assert "pa55word" not in str(caught.value)


@pytest.mark.parametrize(
    ("sid", "token"),
    [
        ("", TOKEN),
        ("sid", ""),
        ("s:d", TOKEN),
        ("sid", f"{TOKEN}\n"),
        (" sid", TOKEN),
        ("sid", "té"),
    ],
)
def test_credentials_that_cannot_be_right_are_refused_and_not_shown(sid: str, token: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Credentials(sid, token)
    assert TOKEN not in str(caught.value)
    assert ("token" in str(caught.value)) == (token != TOKEN)


@pytest.mark.parametrize("option", [{"connect_timeout": 0}, {"read_timeout": -1}, {"pool_size": 0}])
def test_a_wrong_number_is_refused_by_name(option: dict[str, float]) -> None:
    (name,) = option
    with pytest.raises(Misconfigured, match=name):
        VoiceClient(Credentials("sid", TOKEN), **option)


def test_a_proxy_from_the_environment_is_used(serve, client_for, monkeypatch) -> None:
    proxy = serve(BALANCE)
    monkeypatch.setenv("http_proxy", f"http://user:pass@127.0.0.1:{proxy.port}")
    assert client_for("http://provider.invalid").credits() == Decimal(7)
    assert proxy.seen[0].line == "GET http://provider.invalid/you/credits/ HTTP/1.1"
    assert proxy.seen[0].headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"


def test_a_host_without_a_proxy_is_reached_directly(serve, client_for, monkeypatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert client_for(serve(BALANCE).url).credits() == Decimal(7)


@pytest.mark.parametrize(
    "proxy", ["http://", "socks5://127.0.0.1:1", "http://a:pa55word@[", "what://x"]
)
def test_a_proxy_that_cannot_be_used_is_refused_and_not_shown(monkeypatch, proxy: str) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(Misconfigured, match="HTTP_PROXY") as caught:
        VoiceClient(Credentials("sid", TOKEN), host="http://provider.invalid")
    assert "pa55word" not in str(caught.value)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_from_the_environment_are_trusted(
    serve_tls, client_for, monkeypatch, certificate, variable: str
) -> None:
    server = serve_tls(BALANCE)
    monkeypatch.setenv(variable, str(certificate))
    client = client_for(server.url)
    monkeypatch.delenv(variable)
    assert [client.credits(), client.credits()] == [Decimal(7)] * 2
    assert server.connections == 1


def test_a_bundle_that_is_missing_is_refused_by_name(monkeypatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/file.pem")
    with pytest.raises(Misconfigured, match=r"/no/such/file\.pem.*REQUESTS_CA_BUNDLE"):
        VoiceClient(Credentials("sid", TOKEN))


def test_a_bundle_that_holds_no_certificate_is_refused_by_name(monkeypatch, tmp_path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("not a certificate")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with pytest.raises(Misconfigured, match=r"bundle\.pem"):
        VoiceClient(Credentials("sid", TOKEN))
