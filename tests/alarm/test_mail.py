"""Mails of the alarm, handed in to a real mail server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dispatcher.values.smtp_place import SmtpPlace
from support.mail_server import PASSWORD, USER, mail_server
from support.ports import free_port
from support.redis_servers import Certificates
from workers.alarm.mail import Mailer, MailFailed

TO = ("oncall@example.com", "boss@example.com")
FROM = "dispatcher@example.com"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def trusted(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
    return certificates


def mailer(url: str, timeout: float = 10.0) -> Mailer:
    return Mailer(SmtpPlace.of_url(url), FROM, TO, timeout)


def test_a_mail_comes_to_all_and_says_whose_it_is() -> None:
    with mail_server() as box:
        mailer(f"smtp://127.0.0.1:{box.port}")("Nobody can be called", "Why:\nno worker runs\n")
    (mail,) = box.mails
    assert (mail["From"], mail["To"]) == (FROM, ", ".join(TO))
    assert mail["Subject"] == "Nobody can be called"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@example.com>")
    assert mail.get_content().splitlines() == ["Why:", "no worker runs"]


@pytest.mark.parametrize("secure", [False, True])
def test_tls_is_used_and_verified(trusted: Certificates, *, secure: bool) -> None:
    scheme = "smtps" if secure else "smtp"
    with mail_server(trusted, users=True, secure=secure) as box:
        mailer(f"{scheme}://{USER}:{PASSWORD}@127.0.0.1:{box.port}")("a", "b")
    assert box.authenticated == [True]


@pytest.mark.parametrize("secure", [False, True])
def test_a_server_that_nobody_vouches_for_gets_neither_password_nor_mail(
    certificates: Certificates, *, secure: bool
) -> None:
    scheme = "smtps" if secure else "smtp"
    with mail_server(certificates, users=True, secure=secure) as box:
        url = f"{scheme}://{USER}:{PASSWORD}@127.0.0.1:{box.port}"
        with pytest.raises(MailFailed, match="an authority that is not trusted here") as caught:
            mailer(url)("a", "b")
    assert box.mails == []
    assert PASSWORD not in str(caught.value)


def test_another_machine_without_starttls_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name leads here, but nobody can know that: whoever sits between could have cut it out."""
    looks_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _host, *rest, **more: looks_up("127.0.0.1", *rest, **more)
    )
    with mail_server() as box, pytest.raises(MailFailed, match="offers no STARTTLS"):
        mailer(f"smtp://mail.example.com:{box.port}")("a", "b")
    assert box.mails == []


def test_a_wrong_password_is_said_and_not_shown(trusted: Certificates) -> None:
    with mail_server(trusted, users=True) as box:
        wrong = mailer(f"smtp://{USER}:wrong-Hunter2@127.0.0.1:{box.port}")
        with pytest.raises(MailFailed, match="refuses the user or the password") as caught:
            wrong("a", "b")
        assert box.mails == []
    assert "Hunter2" not in str(caught.value)


def test_who_gets_no_mail_is_named_and_the_others_get_it() -> None:
    with mail_server(refuses=TO[:1]) as box:
        with pytest.raises(MailFailed, match=f"takes no mail for {TO[0]}"):
            mailer(f"smtp://127.0.0.1:{box.port}")("a", "b")
        assert len(box.mails) == 1
    with mail_server(refuses=TO) as box:
        with pytest.raises(MailFailed, match=", ".join(sorted(TO))):
            mailer(f"smtp://127.0.0.1:{box.port}")("a", "b")
        assert box.mails == []


@contextmanager
def saying(said: bytes | None) -> Iterator[int]:
    """Serve something that says this to each who connects, and nothing else."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            try:
                while True:
                    connection, _ = listener.accept()
                    kept.append(connection)
                    if said is not None:
                        connection.sendall(said)
            except OSError:
                return

        kept: list[socket.socket] = []
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        for each in kept:
            each.close()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (None, "does not answer in time"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "answered -1|could not be spoken to|broke off"),
        (b"421 too busy\r\n", "answered 421"),
        (b"220 " + b"x" * 100_000, "answered 500|could not be spoken to"),
    ],
)
def test_whatever_answers_there_is_said_in_a_sentence(said: bytes | None, words: str) -> None:
    with saying(said) as port, pytest.raises(MailFailed, match=words):
        mailer(f"smtp://127.0.0.1:{port}", timeout=1.0)("a", "b")


def test_nobody_there_is_said() -> None:
    with pytest.raises(MailFailed, match="cannot be reached"):
        mailer(f"smtp://127.0.0.1:{free_port()}")("a", "b")


def test_no_number_and_no_further_header_gets_into_a_mail() -> None:
    """What somebody wrote when they paused stands in the reason."""
    with mail_server() as box:
        subject = "paused for +818012345678\r\nBcc: someone@example.org"
        mailer(f"smtp://127.0.0.1:{box.port}")(subject, "ask 080-1234-5678")
    (mail,) = box.mails
    assert mail["Bcc"] is None
    assert mail["Subject"] == "paused for +8180****5678 Bcc: someone@example.org"
    assert "1234-5678" not in mail.get_content()


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://mail.example.com",
        "smtp://",
        "smtp://mail.example.com:port",
        "smtp://user@mail.example.com",
        "smtp://user:pa/ssword-Hunter2@mail.example.com",
        "smtp://mail.example.com:0",
        "smtp://mail.example.com/inbox",
    ],
)
def test_a_url_that_is_none_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ValueError, match=r"write smtp://|give a user") as caught:
        SmtpPlace.of_url(url)
    assert "Hunter2" not in str(caught.value)


def test_what_is_escaped_in_a_url_is_read() -> None:
    place = SmtpPlace.of_url("smtps://me%40example.com:p%2Fw%3A@mail.example.com")
    assert (place.user, place.password, place.port) == ("me@example.com", "p/w:", 465)
    assert "p/w:" not in repr(place)
    assert SmtpPlace.of_url("smtp://mail.example.com").port == 587
