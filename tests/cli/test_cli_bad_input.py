"""A Redis, a broker or a provider that is away, wrong or too old: one sentence each."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import pytest

from dispatcher.store import Store
from support.cli_refusals import (
    ACCOUNT,
    FAILED,
    NUMBER,
    OTHERS,
    SAY,
    USAGE,
    nothing_written,
    refused,
)
from support.cli_shell import Shell
from workers.devstack.embedded_server import EmbeddedServer

ASKING: list[tuple[str, ...]] = [
    ("call", *SAY),
    ("conference", NUMBER, OTHERS[0]),
    ("show", "abcdefghijklmnop"),
    ("list",),
    ("stats",),
    ("retry", "abcdefghijklmnop"),
    ("cancel", "abcdefghijklmnop"),
    ("prioritise", "abcdefghijklmnop", "--priority", "bulk"),
    ("pause",),
    ("resume",),
    ("why", "abcdefghijklmnop"),
    ("worker",),
    ("beat",),
    ("gateway",),
    ("flower",),
]


@pytest.mark.parametrize("arguments", ASKING, ids=lambda each: each[0])
def test_without_a_dispatcher_every_command_says_how_to_name_one(
    nowhere: Shell, arguments: tuple[str, ...]
) -> None:
    refused(nowhere(*arguments), FAILED, "DISPATCHER_REDIS_URL", "--redis-url", "up")


@pytest.mark.parametrize("arguments", ASKING, ids=lambda each: each[0])
def test_a_redis_that_is_away_is_said_to_be_away(
    nowhere: Shell, free_port: int, arguments: tuple[str, ...], unable_to_start: None
) -> None:
    ran = nowhere(*arguments, DISPATCHER_REDIS_URL=f"redis://127.0.0.1:{free_port}/0", **ACCOUNT)
    refused(ran, FAILED, "cannot be reached", str(free_port), "start it, or correct")


@pytest.mark.parametrize("arguments", [("up",), ("worker",), ("beat",), ("gateway",), ("flower",)])
def test_the_real_processes_do_not_start_without_their_redis(
    nowhere: Shell, free_port: int, arguments: tuple[str, ...]
) -> None:
    ran = nowhere.run(
        *arguments, DISPATCHER_REDIS_URL=f"redis://127.0.0.1:{free_port}/0", **ACCOUNT
    )
    refused(ran, FAILED, "cannot be reached", str(free_port))


@pytest.mark.parametrize("arguments", ASKING, ids=lambda each: each[0])
def test_a_wrong_password_is_told_and_never_shown(
    nowhere: Shell, server: EmbeddedServer, arguments: tuple[str, ...], unable_to_start: None
) -> None:
    url = f"redis://:Hunter2@127.0.0.1:{server.port}/0"
    ran = nowhere(*arguments, DISPATCHER_REDIS_URL=url, **ACCOUNT)
    refused(ran, FAILED, "password", "redis://:password@host")
    assert "Hunter2" not in ran.err


def test_a_redis_that_wants_a_password_says_so(nowhere: Shell, server: EmbeddedServer) -> None:
    ran = nowhere("list", DISPATCHER_REDIS_URL=f"redis://127.0.0.1:{server.port}/0")
    refused(ran, FAILED, "needs a password")


@pytest.mark.parametrize(
    "url",
    [
        "http://:Hunter2@127.0.0.1",
        "Hunter2@127.0.0.1",
        "redis://:Hunter2@127.0.0.1:port/0",
        "redis://:Hunter2@127.0.0.1:6379/zero",
        "redis://:Hunter2@[::1/0",
    ],
)
def test_what_is_no_redis_url_is_refused_without_its_password(nowhere: Shell, url: str) -> None:
    ran = nowhere("list", DISPATCHER_REDIS_URL=url)
    refused(ran, USAGE, "is not a Redis URL", "redis://host:6379/0")
    assert "Hunter2" not in ran.err


def test_sentinels_without_the_name_of_a_master_are_refused(nowhere: Shell) -> None:
    ran = nowhere("list", DISPATCHER_REDIS_URL="sentinel://:Hunter2@127.0.0.1:26379/0")
    refused(ran, USAGE, "what the sentinels call the master", "add ?service=name")


class OldRedis(socketserver.StreamRequestHandler):
    """Answers as Redis 5.0 does: it knows PING and INFO, and no HELLO."""

    answers: ClassVar = {
        b"PING": b"+PONG\r\n",
        b"INFO": b"$21\r\nredis_version:5.0.7\r\n\r\n",
    }

    def handle(self) -> None:
        while header := self.rfile.readline():
            words = [self._word() for _ in range(int(header[1:]))]
            unknown = b"-ERR unknown command `%b`, with args beginning with: \r\n" % words[0]
            self.wfile.write(self.answers.get(words[0].upper(), unknown))

    def _word(self) -> bytes:
        length = int(self.rfile.readline()[1:])
        return self.rfile.read(length + 2)[:-2]


class LessOldRedis(OldRedis):
    """Answers as Redis 6.2 does, which knows HELLO."""

    answers: ClassVar = {
        **OldRedis.answers,
        b"HELLO": b"%1\r\n$5\r\nproto\r\n:3\r\n",
        b"INFO": b"$22\r\nredis_version:6.2.14\r\n\r\n",
    }


class OldServer(socketserver.ThreadingTCPServer):
    daemon_threads = True


@contextmanager
def serving(answers: type[OldRedis]) -> Iterator[str]:
    with OldServer(("127.0.0.1", 0), answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"redis://127.0.0.1:{server.server_address[1]}/0"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("arguments", ASKING, ids=lambda each: each[0])
def test_a_redis_that_is_too_old_is_refused(
    nowhere: Shell, arguments: tuple[str, ...], unable_to_start: None
) -> None:
    with serving(OldRedis) as url:
        refused(
            nowhere(*arguments, DISPATCHER_REDIS_URL=url, **ACCOUNT),
            USAGE,
            "Redis 7.0, Valkey 7.2 or newer is needed",
        )


def test_a_redis_that_is_too_old_is_named_with_its_version(nowhere: Shell) -> None:
    with serving(LessOldRedis) as url:
        done = nowhere("list", DISPATCHER_REDIS_URL=url)
        refused(done, USAGE, "Redis 6.2.14 is too old", "Redis 7.0, Valkey 7.2")


@pytest.mark.parametrize("url", ["nonsense://:Hunter2@127.0.0.1", "127.0.0.1", "sqs://x"])
def test_a_broker_that_nobody_can_speak_to_is_refused_before_a_job_is_written(
    shell: Shell, store: Store, unable_to_start: None, url: str
) -> None:
    for arguments in (("call", *SAY), ("worker",), ("beat",), ("gateway",), ("flower",)):
        with nothing_written(store):
            ran = shell(*arguments, DISPATCHER_BROKER_URL=url, **ACCOUNT)
        refused(ran, USAGE, "broker", "redis://host:6379/0")
        assert "Hunter2" not in ran.err


def test_a_broker_that_is_away_keeps_no_job_from_being_accepted(
    shell: Shell, free_port: int
) -> None:
    broker = f"redis://127.0.0.1:{free_port}/0"
    ran = shell.run("call", *SAY, "--json", DISPATCHER_BROKER_URL=broker)
    assert (ran.code, ran.json["state"]) == (0, "queued")
    assert "the broker cannot be reached" in ran.err
    assert "they are sent later" in ran.err


def test_balance_without_credentials_says_which_to_set(shell: Shell) -> None:
    refused(shell("balance"), FAILED, "XOXZO_API_SID", "XOXZO_API_AUTH_TOKEN")


def test_balance_with_wrong_credentials_fails_and_shows_none(
    shell: Shell, provider: dict[str, str]
) -> None:
    ran = shell("balance", **{**provider, "XOXZO_API_AUTH_TOKEN": "Hunter2"})
    refused(ran, FAILED, "does not know these credentials")
    assert "Hunter2" not in ran.err


def test_balance_of_a_provider_that_is_away_fails(
    shell: Shell, provider: dict[str, str], free_port: int
) -> None:
    url = f"http://127.0.0.1:{free_port}"
    refused(shell("balance", **{**provider, "XOXZO_API_HOST": url}), FAILED, "could not be reached")


def test_a_host_that_is_no_url_is_wrong_usage(shell: Shell, provider: dict[str, str]) -> None:
    ran = shell("balance", **{**provider, "XOXZO_API_HOST": "nonsense"})
    refused(ran, USAGE, "'nonsense'", "https://api.xoxzo.com")
