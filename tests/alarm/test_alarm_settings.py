"""The settings of the alarm: wrong ones stop the start, and none of them shows a secret."""

from __future__ import annotations

import pytest

from config.settings import InvalidSettings, Settings
from workers.alarm.of_settings import mailer


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ALARM_EMAIL", "oncall", "no address: write one such as"),
        ("ALARM_EMAIL", "a@example.com, b c@example.com", "'b c@example.com' is no address"),
        ("ALARM_EMAIL", "a@example.com\r\nBcc: b@example.com", "no address: write one such as"),
        ("ALARM_SENDER", "Dispatcher <d@example.com>", "no address: write one such as"),
        ("ALARM_AFTER", "5s", "10"),
        ("SMTP_URL", "smtp://u:Hunter2@host/inbox", "write smtp://user:password@host:587"),
        ("SMTP_URL", "Hunter2", "write smtp://"),
        ("HEARTBEAT_URL", "hc-ping.com/Hunter2", "write the address that the service gave you"),
        ("HEARTBEAT_FAIL_URL", "ftp://Hunter2", "write the address that the service gave you"),
    ],
)
def test_a_wrong_value_is_named_and_no_secret_is_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(f"DISPATCHER_{name}", value)
    with pytest.raises(InvalidSettings) as caught:
        Settings.load()
    assert str(caught.value).startswith(f"DISPATCHER_{name}")
    assert says in str(caught.value)
    assert "Hunter2" not in str(caught.value)


def test_somebody_to_mail_to_needs_a_way_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPATCHER_ALARM_EMAIL", "a@example.com")
    with pytest.raises(InvalidSettings, match="set DISPATCHER_SMTP_URL"):
        mailer(Settings.load())
    monkeypatch.setenv("DISPATCHER_SMTP_URL", "smtps://mail.example.com")
    found = mailer(Settings.load())
    assert found is not None
    assert (found.to, found.sender) == (("a@example.com",), "a@example.com")
    monkeypatch.setenv("DISPATCHER_ALARM_SENDER", "d@example.com")
    again = mailer(Settings.load())
    assert again is not None
    assert again.sender == "d@example.com"


def test_a_mail_server_alone_mails_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPATCHER_SMTP_URL", "smtp://mail.example.com")
    assert mailer(Settings.load()) is None
