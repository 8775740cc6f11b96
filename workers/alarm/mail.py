"""A mail to those who must know, by SMTP: TLS that is verified, and an end to all waiting."""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from dispatcher.errors import DispatcherError
from dispatcher.provider.transport import tls_context
from dispatcher.values.hosts import is_loopback
from dispatcher.values.masking import mask_text
from dispatcher.values.smtp_place import SmtpPlace
from dispatcher.values.tls_faults import tls_fault

TIMEOUT = 10.0
"""Seconds for each step of the conversation."""

SLOW = "does not answer in time: is it up, and is the port right?"


class MailFailed(DispatcherError):
    """The mail was not taken; the message says by whom not, and what to do."""


@dataclass(frozen=True)
class Mailer:
    """Sends to all `to` at once; `sender` is the address that the mail comes from."""

    place: SmtpPlace
    sender: str
    to: Sequence[str]
    timeout: float = TIMEOUT

    def __call__(self, subject: str, text: str) -> None:
        """Hand in a mail. Raises MailFailed; some of those whom it goes to may have it then."""
        try:
            with self._connected() as smtp:
                refused = smtp.send_message(self._message(subject, text), self.sender, [*self.to])
        except smtplib.SMTPServerDisconnected as error:  # also what waited in vain for an answer
            late = isinstance(error.__context__, TimeoutError)
            why = SLOW if late else "broke off: see its log"
            raise MailFailed(f"the mail server {self.place} {why}") from None
        except smtplib.SMTPException as error:
            raise MailFailed(f"the mail server {self.place} {_refusal(error)}") from None
        except (OSError, ssl.SSLError) as error:
            raise MailFailed(f"the mail server {self.place} {_unreached(error)}") from None
        if refused:
            names = ", ".join(sorted(refused))
            raise MailFailed(f"the mail server {self.place} takes no mail for {names}")

    def _message(self, subject: str, text: str) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self.sender, ", ".join(self.to)
        message["Subject"] = " ".join(mask_text(subject).split())[:200]
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = make_msgid("voice-dispatcher", self.sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"  # nobody's holiday notice answers it
        message.set_content(mask_text(text))
        return message

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        place, context = self.place, _context()
        smtp: smtplib.SMTP = (
            smtplib.SMTP_SSL(place.host, place.port, timeout=self.timeout, context=context)
            if place.secure
            else smtplib.SMTP(place.host, place.port, timeout=self.timeout)
        )
        with smtp:
            if not place.secure:
                self._secure(smtp, context)
            if place.user is not None:
                smtp.login(place.user, place.password or "")
            yield smtp

    def _secure(self, smtp: smtplib.SMTP, context: ssl.SSLContext) -> None:
        smtp.ehlo()
        if smtp.has_extn("starttls"):
            smtp.starttls(context=context)
            smtp.ehlo()
        elif not is_loopback(self.place.host):
            raise MailFailed(
                f"the mail server {self.place} offers no STARTTLS: use smtps:// where it speaks TLS"
                " at once, or one on this machine"
            )


def _context() -> ssl.SSLContext:
    return tls_context(os.environ.get("REQUESTS_CA_BUNDLE") or True)


def _refusal(error: smtplib.SMTPException) -> str:
    """Say what a server answered: its code alone, for in its words may be what was sent."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "refuses the user or the password: correct DISPATCHER_SMTP_URL"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "lets nobody log in: leave user and password out of DISPATCHER_SMTP_URL"
    if isinstance(error, smtplib.SMTPSenderRefused):
        return f"refuses the sender {error.sender} ({error.smtp_code}): set DISPATCHER_ALARM_SENDER"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"takes no mail for {', '.join(sorted(error.recipients))}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"answered {error.smtp_code}: see its log"
    return f"could not be spoken to ({type(error).__name__}): is it a mail server?"


def _unreached(error: OSError) -> str:
    if found := tls_fault(error):
        return f"is not to be trusted: {found}"
    if isinstance(error, TimeoutError):
        return SLOW
    return f"cannot be reached ({type(error).__name__}): correct DISPATCHER_SMTP_URL"
