"""URLs at the door and in the settings, secrets, networks: what is wrong is said, no secret is."""

from __future__ import annotations

import os
from ipaddress import ip_network

import pytest
from standardwebhooks import Webhook

from config.settings import InvalidSettings, Settings
from dispatcher.model.invalid_job import InvalidJob
from dispatcher.model.request import JobRequest
from dispatcher.store.config_codec import config_fields
from dispatcher.values.webhook_secrets import WebhookSecrets, secret_from_key
from dispatcher.values.webhook_url import InvalidWebhookURL, origin, webhook_url
from support.webhook_receiver import SECRET

KEY = "a key of sixteen or more"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith(("DISPATCHER_", "XOXZO_")):
            monkeypatch.delenv(name)


def load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(f"DISPATCHER_{name}", value)
    return Settings.load()


GOOD = [
    "https://receiver.example/told",
    "http://receiver.example",
    "https://receiver.example:8443/a/b?token=1&x=%20",
    "http://127.0.0.1:8000/",
    "http://[::1]:8000/",
    "https://xn--bcher-kva.example/",
    "https://my_receiver.internal/",
    "HTTPS://Receiver.Example/",
]
BAD = [
    ("", "ASCII"),
    ("receiver.example", "begin with https://"),
    ("ftp://receiver.example/", "begin with https://"),
    ("file:///etc/passwd", "begin with https://"),
    ("javascript:alert(1)", "begin with https://"),
    ("https://", "host is missing"),
    ("https:///told", "host is missing"),
    ("https://me:hunter2@receiver.example/", "not shown"),
    ("https://hunter2@receiver.example/", "not shown"),
    ("https://receiver.example:22/", "port 22"),
    ("https://receiver.example:25/", "port 25"),
    ("https://receiver.example:0/", "port 0"),
    ("https://receiver.example:99999/", "not a URL"),
    ("https://receiver.example:x/", "not a URL"),
    ("https://[::1/", "not a URL"),
    ("https://receiver.example/#part", "fragment"),
    ("https://receiver.example/\r\nHost: evil", "ASCII"),
    ("https://receiver.example\\@evil.example/", "ASCII"),
    ("https://bücher.example/", "ASCII"),
    ("https://receiver.example/a b", "ASCII"),
    ("https://a*b.example/", "characters that are not allowed"),
    ("https://receiver.example/" + "a" * 2048, "at most"),
]


@pytest.mark.parametrize("url", GOOD)
def test_what_can_be_told_is_taken_as_it_is(url: str) -> None:
    assert webhook_url(url) == url
    request = JobRequest.of({"recipient": "+818011234567", "say": "x", "webhook": url})
    assert request.webhook == url


@pytest.mark.parametrize(("url", "why"), BAD)
def test_what_cannot_is_refused_at_the_door_with_the_reason(url: str, why: str) -> None:
    with pytest.raises(InvalidJob) as caught:
        JobRequest.of({"recipient": "+818011234567", "say": "x", "webhook": url})
    ((field, message),) = caught.value.problems
    assert field == "webhook"
    assert why in message
    assert "hunter2" not in message


def test_only_the_origin_of_a_url_is_shown() -> None:
    url = "https://Receiver.example:8443/services/T0/B0/s3cret?token=s3cret"
    assert origin(url) == "https://receiver.example:8443"
    with pytest.raises(InvalidWebhookURL) as caught:
        webhook_url(url + "#")
    assert "s3cret" not in str(caught.value)


def test_a_webhook_makes_another_request_of_it_and_none_changes_no_fingerprint() -> None:
    plain = JobRequest.of({"recipient": "+818011234567", "say": "x"})
    other = JobRequest.of({"recipient": "+818011234567", "say": "x", "webhook": GOOD[0]})
    none = JobRequest.of({"recipient": "+818011234567", "say": "x", "webhook": None})
    assert plain.fingerprint() == none.fingerprint() != other.fingerprint()


def test_the_settings_say_who_is_told_of_what(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        monkeypatch,
        WEBHOOK_URL=" https://one.example/a , https://two.example/b,",
        WEBHOOK_EVENTS="all",
        WEBHOOK_SECRET=f"{SECRET},{secret_from_key(KEY)}",
    )
    assert settings.webhook_urls == ("https://one.example/a", "https://two.example/b")
    assert settings.webhook_secrets.own == (SECRET, secret_from_key(KEY))
    fields = config_fields(settings.account_config)
    assert (fields["webhook_targets"], fields["every_change"]) == ("2", "1")


def test_left_alone_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch)
    assert (settings.webhook_urls, settings.webhook_secrets) == ((), WebhookSecrets(()))
    assert not {"webhook_targets", "every_change"} & config_fields(settings.account_config).keys()
    assert settings.webhook_numbers == "masked"
    assert (settings.webhook_allow_private, settings.webhook_allow_private_jobs) == ((), ())


def test_without_a_secret_of_their_own_webhooks_have_one_of_each_secret_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secrets = load(monkeypatch, SECRET_KEY=f"{KEY},{KEY} that was").webhook_secrets
    made = [*secrets.own, *secrets.of_account("https://a.example"), *secrets.of_job("http://a.b")]
    assert len(set(made)) == 6
    assert all(KEY not in secret for secret in made)
    for secret in made:
        Webhook(secret)


@pytest.mark.parametrize(
    "same",
    [
        "https://a.example",
        "https://a.example/x?y=1",
        "https://A.example:443/z",
        "HTTPS://a.example:",
    ],
)
def test_jobs_receivers_of_one_place_have_one_secret(same: str) -> None:
    secrets = WebhookSecrets((SECRET,))
    assert secrets.of_job(same) == secrets.of_job("https://a.example/told")


@pytest.mark.parametrize(
    "other",
    ["http://a.example", "https://a.example:8443", "https://b.a.example", "https://a.exampl"],
)
def test_those_of_another_place_have_another(other: str) -> None:
    secrets = WebhookSecrets((SECRET,))
    assert secrets.of_job(other) != secrets.of_job("https://a.example/told")


def test_targets_without_a_secret_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, WEBHOOK_URL="https://one.example/")
    with pytest.raises(InvalidSettings, match="set DISPATCHER_WEBHOOK_SECRET"):
        settings.check_together()


@pytest.mark.parametrize(
    ("written", "networks"),
    [
        ("false", ()),
        ("true", ("0.0.0.0/0", "::/0")),
        ("10.1.0.0/16", ("10.1.0.0/16",)),
        (" 10.1.2.3 , fd00::/8 ", ("10.1.2.3/32", "fd00::/8")),
    ],
)
def test_networks_may_be_allowed(
    monkeypatch: pytest.MonkeyPatch, written: str, networks: tuple[str, ...]
) -> None:
    expected = tuple(ip_network(each) for each in networks)
    settings = load(monkeypatch, WEBHOOK_ALLOW_PRIVATE=written)
    assert (settings.webhook_allow_private, settings.webhook_allow_private_jobs) == (expected, ())
    settings = load(monkeypatch, WEBHOOK_ALLOW_PRIVATE_JOBS=written, WEBHOOK_ALLOW_PRIVATE="")
    assert (settings.webhook_allow_private, settings.webhook_allow_private_jobs) == ((), expected)


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        (
            "WEBHOOK_URL",
            "https://one.example/,ftp://two.example/hunter2",
            "must begin with https://",
        ),
        ("WEBHOOK_URL", "https://one.example/hunter2#", "fragment"),
        ("WEBHOOK_SECRET", "hunter2", "write whsec_ and 24 to 64 bytes"),
        ("WEBHOOK_SECRET", "whsec_hunter2", "write whsec_ and 24 to 64 bytes"),
        ("WEBHOOK_SECRET", f"{SECRET},hunter2", "write whsec_ and 24 to 64 bytes"),
        ("WEBHOOK_OLD_SECRET", "hunter2", "write whsec_ and 24 to 64 bytes"),
        ("SECRET_KEY", "hunter2", "at least 16 characters"),
        ("WEBHOOK_EVENTS", "some", "not one of 'ends' or 'all'"),
        ("WEBHOOK_NUMBERS", "hidden", "not one of 'masked' or 'whole'"),
        ("WEBHOOK_ALLOW_PRIVATE", "yes", "'yes'"),
        ("WEBHOOK_ALLOW_PRIVATE", "10.0.0.1/8", "write true, false or networks such as"),
    ],
)
def test_a_wrong_value_is_refused_and_a_secret_one_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, accepted: str
) -> None:
    with pytest.raises(InvalidSettings, match=f"DISPATCHER_{name}") as caught:
        load(monkeypatch, **{name: value})
    assert accepted in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_nothing_secret_shows_in_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        monkeypatch,
        WEBHOOK_URL="https://one.example/hunter2",
        WEBHOOK_SECRET=SECRET,
        WEBHOOK_OLD_SECRET=secret_from_key("old"),
        SECRET_KEY=KEY,
    )
    shown = str(settings) + repr(settings) + settings.model_dump_json()
    shown += repr(settings.webhook_secrets)
    secrets = ("hunter2", SECRET, KEY, secret_from_key("old"))
    assert not [each for each in secrets if each in shown]
