"""What a process tells of its settings."""

from __future__ import annotations

import pytest

from config.fingerprint import fingerprint
from config.roles import environment_of
from config.settings import Settings
from dispatcher.client.broker_rights import Part

ALL = {
    "DISPATCHER_REDIS_URL": "redis://:Hunter2@127.0.0.1:6379/0",
    "DISPATCHER_RATE_LIMIT": "7",
    "DISPATCHER_CALLING_HOURS": "08:00-20:00",
    "DISPATCHER_ALLOWED_COUNTRIES": "JP,US,DE,FR,GB",
    "DISPATCHER_CALLER": "+815012345678",
    "DISPATCHER_SECRET_KEY": "3f9c1d7b5a2e8f604c1d",
    "DISPATCHER_PUBLIC_URL": "https://voice.example.com",
    "DISPATCHER_WEBHOOK_URL": "https://receiver.example/told",
    "DISPATCHER_GATEWAY_PORT": "8181",
    "DISPATCHER_LOG_LEVEL": "DEBUG",
    "DISPATCHER_ALARM_EMAIL": "oncall@example.com",
    "DISPATCHER_SMTP_URL": "smtp://user:Hunter2@mail.example.com",
}


def told(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> dict[str, str]:
    with monkeypatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        return fingerprint(Settings.load())


def test_processes_with_the_same_settings_tell_the_same_whatever_their_role(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    by_part = [
        told(monkeypatch, environment_of(part, ALL)) for part in Part if part is not Part.PRODUCER
    ]
    assert by_part[0].keys() == {
        "DISPATCHER_RATE_LIMIT",
        "DISPATCHER_CALLING_HOURS",
        "DISPATCHER_ALLOWED_COUNTRIES",
        "DISPATCHER_CALLER",
    }
    assert all(each == by_part[0] for each in by_part)


def test_a_value_that_differs_shows_and_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (told(monkeypatch, {"DISPATCHER_RATE_LIMIT": value}) for value in ("7", "8"))
    assert one != other
    assert one.keys() == other.keys() == {"DISPATCHER_RATE_LIMIT"}
    number = told(monkeypatch, {"DISPATCHER_CALLER": "+815012345678"})["DISPATCHER_CALLER"]
    assert number not in "+815012345678"


def test_a_default_that_is_written_down_is_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, {"DISPATCHER_RATE_LIMIT": "5"}) == told(monkeypatch, {}) == {}


def test_an_order_that_means_nothing_is_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = ("JP,US,DE", "DE,JP,US")
    one, other = (told(monkeypatch, {"DISPATCHER_ALLOWED_COUNTRIES": o}) for o in orders)
    assert one == other
