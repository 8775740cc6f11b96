"""A mail server on this machine, which keeps what it is given: with TLS and users, or without."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from support.ports import free_port
from support.redis_servers import Certificates

USER, PASSWORD = "alarm", "Hunter2-in-the-mail"


class Mailbox:
    """What came in; `refuses` are addresses that it takes no mail for."""

    def __init__(self, refuses: tuple[str, ...] = ()) -> None:
        self.mails: list[EmailMessage] = []
        self.authenticated: list[bool] = []
        self.port = 0
        self._refuses = refuses

    async def handle_RCPT(  # noqa: N802 - the server's own name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if address in self._refuses:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        self.authenticated.append(bool(session.authenticated))
        return "250 taken"

    @property
    def subjects(self) -> list[str]:
        return [str(each["Subject"]) for each in self.mails]


@contextmanager
def mail_server(
    tls: Certificates | None = None,
    *,
    users: bool = False,
    secure: bool = False,
    refuses: tuple[str, ...] = (),
    port: int = 0,
) -> Iterator[Mailbox]:
    """Serve a mailbox. `tls` offers STARTTLS, or with `secure` is TLS from the first byte; with
    `users` one may log in, as USER and in TLS alone.
    """
    mailbox = Mailbox(refuses)
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.certificate, tls.key)
    options: dict[str, Any] = {"tls_context": None if secure else context}
    if users:
        options |= {"authenticator": _knows, "auth_require_tls": not secure}
    mailbox.port = port or free_port()
    controller = Controller(
        mailbox,
        hostname="127.0.0.1",
        port=mailbox.port,
        ssl_context=context if secure else None,
        **options,
    )
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


def _knows(
    _server: SMTP, _session: Session, _envelope: Envelope, _way: str, who: Any
) -> AuthResult:
    right = LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=who == right, handled=False)
