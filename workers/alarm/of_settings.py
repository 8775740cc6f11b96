"""The alarm, as the settings have it."""

from __future__ import annotations

import socket

from config.settings import InvalidSettings, Settings
from dispatcher.model.process import Role
from dispatcher.store import Store
from dispatcher.values.smtp_place import SmtpPlace
from workers.alarm import words
from workers.alarm.alarm import Alarm
from workers.alarm.mail import Mailer
from workers.alarm.pings import Pings


def alarm(store: Store, role: Role, settings: Settings) -> Alarm:
    """Return the alarm of a process."""
    alive, failing = settings.heartbeat_url, settings.heartbeat_fail_url
    pings = Pings(
        alive.get_secret_value() if alive else None, failing.get_secret_value() if failing else None
    )
    return Alarm(store, role, settings.alarm_after, mailer(settings), pings)


def mailer(settings: Settings) -> Mailer | None:
    """Return what sends mails; None where nobody is to get any."""
    settings.require_alarm()
    if not settings.alarm_email or settings.smtp_url is None:
        return None
    place = SmtpPlace.of_url(settings.smtp_url.get_secret_value())
    sender = settings.alarm_sender or settings.alarm_email[0]
    return Mailer(place, sender, settings.alarm_email)


def send_test() -> str:
    """Send the mail of `doctor --email`; return to whom. Raises InvalidSettings, MailFailed."""
    settings = Settings.load()
    found = mailer(settings)
    if found is None:
        raise InvalidSettings(
            "DISPATCHER_ALARM_EMAIL is not set: nobody would get a mail. Set it, and"
            " DISPATCHER_SMTP_URL"
        )
    found(*words.of_test(f"doctor of voice-dispatcher on {socket.gethostname()}"))
    return ", ".join(found.to)
