"""Wrong usage, or things that are away: one sentence, the right exit code, nothing written."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from dispatcher.store import Store
from dispatcher.store.schema import BARRIER
from support.cli_shell import Ran, Shell
from support.redis_inside import key_of, redis_of, root_of
from workers import commands, run
from workers.devstack.embedded_server import EmbeddedServer
from workers.gateway import server as gateway_server

NUMBER = "+818011234567"
OTHERS = ("+818011234568", "+818011234569", "+818011234570")
SAY = (NUMBER, "--say", "Disk full")
USAGE, FAILED = 2, 1
REAL = {"XOXZO_API_SID": "sid", "XOXZO_API_AUTH_TOKEN": "token"}
BOUNDS = {"DISPATCHER_ALLOWED_COUNTRIES": "any", "DISPATCHER_SPEND_PER_DAY": "none"}
ACCOUNT = {**REAL, **BOUNDS}


def refused(ran: Ran, code: int, *words: str) -> None:
    """One sentence that has the words in it, on stderr alone."""
    assert ran.code == code, ran
    assert ran.out == ""
    for word in words:
        assert word in ran.complaint


@contextmanager
def nothing_written(store: Store) -> Iterator[None]:
    before = _written(store)
    yield
    assert _written(store) == before


def _written(store: Store) -> set[str]:
    """Return the keys there are, but for the mark of the schema, which a store gets when used."""
    keys: Any = redis_of(store).keys()
    return {key.decode() for key in keys} - {key_of(store, "schema"), f"{root_of(store)}:{BARRIER}"}


WRONG_CALLS: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    (("08011234567", "--say", "x"), ("recipient", "'08011234567'", "no country code")),
    (("+8108011234567", "--say", "x"), ("recipient", "leading 0", "write +818011234567")),
    (("+81801", "--say", "x"), ("recipient", "'+81801'")),
    (("+999123456789", "--say", "x"), ("recipient", "no country has that code")),
    (("me", "--say", "x"), ("recipient", "'me'", "E.164")),
    (("", "--say", "x"), ("recipient", "E.164")),
    (("+" + "1" * 9000, "--say", "x"), ("recipient", "4000 characters")),
    ((NUMBER,), ("either a text to say or a recording to play",)),
    ((*SAY, "--play", "http://a.example/x.mp3"), ("either a text to say or a recording to play",)),
    ((NUMBER, "--say", ""), ("say", "the text is empty")),
    ((NUMBER, "--say", " \n"), ("say", "the text is empty")),
    ((NUMBER, "--say", "a" * 4001), ("say", "4000 characters")),
    ((NUMBER, "--play", "https://a.example/x.mp3"), ("play", "does not support https")),
    ((NUMBER, "--play", "http://a.example/x.mp3?a=1"), ("play", "a query")),
    ((NUMBER, "--play", "x.mp3"), ("play", "'x.mp3'", "http://")),
    ((NUMBER, "--play", ""), ("play", "http://")),
    ((NUMBER, "--play", "http://a.example/" + "x" * 3000), ("play", "2048 at most")),
    ((NUMBER, "--play", "http://a.example/x.mp3", "--lang", "en"), ("lang", "leave it out")),
    (("415-555-2671", "--say", "x"), ("recipient", "no country code", "region, such as JP")),
    (("415-555-2671 x123", "--say", "x", "--region", "US"), ("recipient", "an extension")),
    (("415-555-CELL", "--say", "x", "--region", "US"), ("recipient", "letters")),
    (("07797 712345", "--say", "x", "--region", "GB"), ("Jersey", "write +447797712345")),
    (("07797 712345", "--say", "x", "--region", "UK"), ("region", "'UK'", "write GB")),
    ((*SAY, "--lang", "xx"), ("lang", "'xx'", "ISO 639-1")),
    ((*SAY, "--lang", ""), ("lang", "ISO 639-1")),
    ((*SAY, "--caller", "me"), ("caller", "'me'", "digits")),
    ((*SAY, "--tag", "a,b"), ("tags", "'a,b'", "comma")),
    ((*SAY, "--tag", ""), ("tags", "empty")),
    ((*SAY, "--tag", "x" * 101), ("tags", "100")),
    ((*SAY, "--key", ""), ("key", "255")),
    ((*SAY, "--key", "k" * 256), ("key", "255")),
    ((*SAY, "--priority", "soon"), ("--priority", "'soon'", "urgent", "bulk")),
    ((*SAY, "--at", "yesterday"), ("at", "'yesterday'", "ISO 8601")),
    ((*SAY, "--at", "2030-01-31T09:00:00"), ("at", "no zone")),
    ((*SAY, "--at", "9999d"), ("at", "366 days")),
    ((*SAY, "--at", "9" * 30 + "d"), ("at",)),
    ((*SAY, "--expires", "5x"), ("expires", "'5x'", "15m")),
    ((*SAY, "--expires", "0"), ("expires", "passed")),
    ((*SAY, "--expires", "2020-01-31T09:00:00Z"), ("expires", "passed")),
    ((*SAY, "--at", "2h", "--expires", "1h"), ("expires", "before the time to call")),
    ((*SAY, "--at", "2031-01-31T09:00:00Z"), ("at", "366 days")),
    ((*SAY, "--hours", "daytime"), ("hours", "'daytime'", "write 08:00-21:00")),
    ((*SAY, "--hours", "08:00-08:00"), ("hours", "is never open", "00:00-24:00")),
    ((*SAY, "--hours", "08:00-21:00 Tokyo"), ("hours", "'Tokyo'", "Asia/Tokyo")),
    ((*SAY, "--hours", "monday 08:00-21:00"), ("hours", "'monday'", "mon tue wed")),
    ((*SAY, "--hours", ""), ("hours", "no hours")),
    (("+81990504123", "--say", "x"), ("recipient", "does not call premium numbers")),
    ((*SAY, "--param", "jp_line"), ("--param", "no =", "name=value")),
    ((*SAY, "--param", "recipient=1"), ("params", "'recipient'", "fills in")),
    ((*SAY, "--param", "a="), ("params", "'a'", "not shown")),
    ((*SAY, "--timeout", "1m"), ("--timeout", "--wait")),
    ((*SAY, "--max-attempts", "five"), ("--max-attempts", "integer")),
    ((*SAY, "--max-attempts", "0"), ("max_attempts", "1")),
    ((*SAY, "--max-attempts", "51"), ("max_attempts", "50")),
    ((*SAY, "--redial", "-1"), ("redial", "0")),
    ((*SAY, "--redial", "1.5"), ("--redial", "integer")),
    ((*SAY, "--redial", "3", "--max-attempts", "2"), ("redial", "at least 4")),
    ((*SAY, "--redial-after", "-5s"), ("redial_after", "'-5s'", "30s")),
    ((*SAY, "--on-uncertain", "maybe"), ("--on-uncertain", "'maybe'", "redial", "hold")),
    ((*SAY, "--wait", "--timeout", "soon"), ("'soon'", "30s")),
    ((*SAY, "--wait", "--timeout", "-1"), ("'-1'", "30s")),
    ((*SAY, "--nonsense"), ("No such option", "--nonsense")),
    ((*SAY, "+818011234568"), ("unexpected", "+818011234568")),
    ((), ("Missing argument",)),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG_CALLS)
def test_a_wrong_call_is_refused_and_nothing_is_written(
    shell: Shell, store: Store, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    with nothing_written(store):
        refused(shell("call", *arguments), USAGE, *words)


WRONG_CONFERENCES: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    ((NUMBER,), ("participants", "2 or 3, not 1")),
    ((NUMBER, *OTHERS), ("participants", "2 or 3, not 4")),
    ((NUMBER, NUMBER), ("participants", "different")),
    ((NUMBER, "08011234567"), ("participants", "'08011234567'")),
    ((NUMBER, OTHERS[0], "--lang", "fr"), ("lang", "'fr'", "en or ja")),
    ((NUMBER, OTHERS[0], "--say", "x"), ("No such option", "--say")),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG_CONFERENCES)
def test_a_wrong_conference_is_refused_and_nothing_is_written(
    shell: Shell, store: Store, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    with nothing_written(store):
        refused(shell("conference", *arguments), USAGE, *words)


WRONG_USAGE: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    (("dial", NUMBER), ("No such command", "dial")),
    (("--nonsense", "list"), ("No such option", "--nonsense")),
    (("--namespace", "a{b}", "list"), ("--namespace", "'a{b}'", "letters")),
    (("show",), ("Missing argument",)),
    (("show", "a", "b"), ("unexpected",)),
    (("retry",), ("ids, or a filter such as --state failed",)),
    (("retry", "--yes"), ("ids, or a filter",)),
    (("retry", "a", "--state", "failed"), ("ids or a filter, not both",)),
    (("retry", "--state", "failed"), ("there is no terminal", "--yes", "--dry-run")),
    (("retry", "--state", "failed", "--json"), ("--json asks nobody", "--yes", "--dry-run")),
    (("purge", "--older-than", "90d"), ("it cannot be undone", "no terminal", "--yes")),
    (("keys", "create", "billing"), ("missing option --scope", "enqueue, read, operate")),
    (("retry", "--reason", "", "--yes"), ("--reason", "empty")),
    (("retry", "--tag", "", "--yes"), ("--tag", "empty")),
    (("cancel", "--producer", "", "--yes"), ("--producer", "empty")),
    (("reached",), ("ids, or a filter",)),
    (("actions", "show"), ("Missing argument",)),
    (("audit", "--format", "xml"), ("--format", "'xml'", "csv")),
    (("audit", "--since", "today"), ("'today'", "ISO 8601")),
    (("list", "--cursor", "x"), ("'x'", "is not a cursor")),
    (("retry", "a", "--expires", "5x"), ("'5x'", "15m")),
    (("retry", "a", "--expires", "0"), ("--expires", "'0'", "366 days")),
    (("retry", "a", "--expires", "999999999999999d"), ("--expires", "366 days")),
    (("cancel",), ("ids, or a filter",)),
    (("pause", "--tag", "a", "--priority", "bulk"), ("--tag", "not both")),
    (("resume", "--tag", "a", "--priority", "bulk"), ("--tag", "not both")),
    (("pause", "--priority", "soon"), ("--priority", "'soon'", "urgent", "bulk")),
    (("pause", "--tag", ""), ("--tag", "empty")),
    (("pause", "--tag", "a,b"), ("--tag", "'a,b'", "comma")),
    (("resume", "--tag", "x" * 101), ("--tag", "100")),
    (("pause", "everything"), ("unexpected", "everything")),
    (("prioritise", "abcdefghijklmnop"), ("missing option --priority", "urgent, normal, bulk")),
    (("prioritise", "abcdefghijklmnop", "--priority", "soon"), ("--priority", "'soon'", "urgent")),
    (("prioritise", "--priority", "bulk"), ("ids, or a filter",)),
    (("why",), ("Missing argument",)),
    (("list", "--limit", "x"), ("--limit", "integer")),
    (("list", "--limit", "0"), ("--limit", "1")),
    (("list", "--state", "nonsense"), ("--state", "'nonsense'", "in_progress")),
    (("list", "--recipient", "Sam"), ("--recipient", "'Sam'", "last digits")),
    (("list", "--recipient", ""), ("--recipient", "last digits")),
    (("list", "--recipient", "٣"), ("--recipient", "last digits")),
    (("list", "--since", "today"), ("'today'", "ISO 8601")),
    (("list", "--since", "2030-01-31T09:00:00"), ("no zone",)),
    (("list", "--until", "9999999d"), ("9999999d",)),
    (("list", "--until", "9" * 30 + "d"), ("d",)),
    (("sandbox", "--port", "many"), ("--port", "integer")),
    (("sandbox", "--port", "70000"), ("--port", "65535")),
    (("sandbox", "--callback-drop", "2"), ("callback_drop", "1")),
    (("sandbox", "--credits", "nan"), ("credits", "nan")),
    (("sandbox", "--ring", "inf"), ("ring", "inf")),
    (("demo", "--ring", "soon"), ("'soon'", "30s")),
    (("demo", "--workers", "0"), ("--workers", "1")),
    (("up", "--workers", "none"), ("--workers", "integer")),
    (("up", "--concurrency", "0"), ("--concurrency", "1")),
    (("worker", "--concurrency", "many"), ("--concurrency", "integer")),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG_USAGE)
def test_wrong_usage_is_refused_and_nothing_is_written(
    shell: Shell, store: Store, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    with nothing_written(store):
        refused(shell(*arguments), USAGE, *words)


@pytest.mark.parametrize(
    "arguments",
    [
        ("retry", "--state", "failed"),
        ("purge", "--older-than", "90d"),
        ("prioritise", "abcdefghijklmnop"),
        ("keys", "create", "billing"),
    ],
)
def test_what_is_missing_is_not_called_an_invalid_value(
    shell: Shell, arguments: tuple[str, ...]
) -> None:
    ran = shell(*arguments)
    assert ran.code == USAGE
    assert "invalid" not in ran.complaint.lower()


@pytest.mark.parametrize(
    "command", [("show",), ("why",), ("retry",), ("cancel",), ("prioritise", "--priority", "bulk")]
)
@pytest.mark.parametrize("id_", ["abcdefghijklmnop", "", "x" * 5000, "a\nb", "{vd}:fed"])
def test_an_unknown_job_is_said_to_be_unknown(
    shell: Shell, store: Store, command: tuple[str, ...], id_: str
) -> None:
    with nothing_written(store):
        refused(shell(*command, id_), FAILED, "there is no job", "check the id")


def test_a_key_of_another_request_is_refused(shell: Shell, store: Store) -> None:
    assert shell("call", *SAY, "--key", "alert-1").code == 0
    with nothing_written(store):
        refused(
            shell("call", NUMBER, "--say", "Something else", "--key", "alert-1"),
            FAILED,
            "'alert-1'",
            "another request",
        )


@pytest.mark.parametrize(
    "arguments",
    [
        ("call", "+8180\udcff\udcfe", "--say", "x"),
        ("call", NUMBER, "--say", "caf\udce9"),
        ("retry", "abcdefghijklmnop", "--note", "caf\udce9"),
        ("list", "--tag", "caf\udce9"),
        ("--redis-url", "redis://:secret-caf\udce9@127.0.0.1/0", "list"),
    ],
    ids=["number", "text", "note", "tag", "url"],
)
def test_bytes_that_are_no_text_are_refused_and_not_shown(
    shell: Shell, store: Store, arguments: tuple[str, ...]
) -> None:
    with nothing_written(store):
        ran = shell(*arguments)
    refused(ran, USAGE, "argument ", "not UTF-8")
    assert "caf" not in ran.err


def test_bytes_in_the_real_command_line_are_refused(shell: Shell, store: Store) -> None:
    with nothing_written(store):
        refused(shell.run("call", NUMBER, "--say", b"caf\xe9"), USAGE, "argument 4", "not UTF-8")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("call", "08011234567", "--say", "x"), USAGE, ("recipient", "no country code")),
        (("show", "abcdefghijklmnop"), FAILED, ("there is no job 'abcdefghijklmnop'",)),
        (("demo", "--log", "/no/such/folder/log"), FAILED, ("/no/such/folder/log", "No such file")),
    ],
    ids=["number", "job", "file"],
)
def test_the_real_script_says_the_same(
    shell: Shell, store: Store, arguments: tuple[str, ...], code: int, words: tuple[str, ...]
) -> None:
    with nothing_written(store):
        refused(shell.run(*arguments), code, *words)


# -- Redis and the broker ------------------------------------------------------------------

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
    refused(ran, FAILED, "cannot be reached", str(free_port), "is it running?")


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


# -- the provider --------------------------------------------------------------------------


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


# -- settings of the processes -------------------------------------------------------------


@pytest.fixture
def unable_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a process that should have refused fail the test at once, and not run for ever."""

    def started(*_: object, **__: object) -> None:
        pytest.fail("it started")

    for module, name in (
        (run, "create_app"),
        (run, "create_call_task"),
        (commands, "Supervisor"),
        (commands, "Stack"),
        (gateway_server, "serve"),
    ):
        monkeypatch.setattr(module, name, started)


WRONG_SETTINGS: list[tuple[str, str, tuple[str, ...]]] = [
    ("DISPATCHER_MAX_CONNECTIONS", "many", ("'many'",)),
    ("DISPATCHER_MAX_CONNECTIONS", "0", ("'0'", "1")),
    ("DISPATCHER_MAX_CONNECTIONS", "9" * 5000, ()),
    ("DISPATCHER_REDIS_URL", "http://:Hunter2@x", ("http://***@x", "redis://host:6379/0")),
    ("DISPATCHER_EVIDENCE_WINDOW", "5x", ("'5x'", "15m")),
    ("DISPATCHER_RETENTION", "-1", ("'-1'", "15m")),
    ("DISPATCHER_CREDIT_FLOOR", "lots", ("'lots'",)),
    ("DISPATCHER_CREDIT_FLOOR", "nan", ("'nan'",)),
    ("DISPATCHER_ON_UNCERTAIN", "maybe", ("'maybe'", "redial", "hold")),
    ("DISPATCHER_CALLER", "me", ("'me'", "digits")),
    ("DISPATCHER_FLOWER_PORT", "70000", ("'70000'", "65535")),
    ("DISPATCHER_LOG_LEVEL", "chatty", ("'chatty'", "INFO")),
    ("DISPATCHER_SECRET_KEY", "Hunter2", ("at least 16 characters", "commas")),
    ("DISPATCHER_PUBLIC_URL", "example.com", ("'example.com'", "https://voice.example.com")),
    ("XOXZO_API_HOST", "nonsense", ("'nonsense'", "https://api.xoxzo.com")),
]


@pytest.mark.parametrize("command", ["worker", "beat", "gateway", "flower", "up"])
@pytest.mark.parametrize("setting", WRONG_SETTINGS, ids=lambda each: f"{each[0]}={each[1][:20]}")
def test_a_wrong_setting_stops_the_start(
    shell: Shell,
    store: Store,
    unable_to_start: None,
    command: str,
    setting: tuple[str, str, tuple[str, ...]],
) -> None:
    name, value, words = setting
    with nothing_written(store):
        ran = shell(command, **{name: value})
    refused(ran, USAGE, name, *words)
    assert "Hunter2" not in ran.err


def test_a_worker_without_credentials_is_not_started(shell: Shell, unable_to_start: None) -> None:
    refused(shell("worker"), USAGE, "XOXZO_API_SID", "XOXZO_API_AUTH_TOKEN", "not set")


@pytest.mark.parametrize("command", ["worker", "gateway", "up"])
def test_real_calls_are_not_made_before_somebody_chose_their_bounds(
    shell: Shell, unable_to_start: None, command: str
) -> None:
    bounds = dict.fromkeys(BOUNDS, "")
    ran = (shell.run if command == "up" else shell)(command, **REAL, **bounds)  # up starts others
    refused(ran, USAGE, *BOUNDS, "JP,US or any", "5000 or none")


def test_every_wrong_setting_is_named_at_once(shell: Shell, unable_to_start: None) -> None:
    ran = shell("beat", DISPATCHER_REDIAL="x", DISPATCHER_CALL_DEADLINE="y")
    refused(ran, USAGE, "DISPATCHER_REDIAL", "DISPATCHER_CALL_DEADLINE")


def test_flower_is_not_opened_to_others_without_a_password(shell: Shell) -> None:
    ran = shell.run("flower", DISPATCHER_FLOWER_HOST="0.0.0.0")
    refused(ran, USAGE, "DISPATCHER_FLOWER_HOST", "'0.0.0.0'", "DISPATCHER_FLOWER_AUTH")


def test_a_wrong_password_setting_of_flower_is_not_shown(
    shell: Shell, unable_to_start: None
) -> None:
    ran = shell("flower", DISPATCHER_FLOWER_AUTH="Hunter2")
    refused(ran, USAGE, "DISPATCHER_FLOWER_AUTH", "user:password")
    assert "Hunter2" not in ran.err


def test_a_port_that_is_taken_keeps_flower_from_starting(shell: Shell, taken_port: int) -> None:
    ran = shell.run("flower", DISPATCHER_FLOWER_PORT=str(taken_port))
    refused(ran, USAGE, f"DISPATCHER_FLOWER_PORT={taken_port}", "another port")


def test_a_port_that_is_taken_keeps_the_gateway_from_starting(
    shell: Shell, taken_port: int
) -> None:
    ran = shell.run("gateway", DISPATCHER_GATEWAY_PORT=str(taken_port))
    refused(ran, USAGE, f"DISPATCHER_GATEWAY_PORT={taken_port}", "another port")


def test_a_certificate_that_is_none_keeps_the_gateway_from_starting(
    shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "no.pem").write_text("no certificate")
    for file in ("no.pem", "missing.pem"):
        ran = shell.run("gateway", DISPATCHER_GATEWAY_TLS_CERT=str(tmp_path / file))
        refused(ran, USAGE, "DISPATCHER_GATEWAY_TLS_CERT", "PEM")


def test_a_port_that_is_taken_keeps_the_sandbox_from_starting(
    nowhere: Shell, taken_port: int
) -> None:
    ran = nowhere.run("sandbox", "--port", str(taken_port))
    refused(ran, FAILED, f"127.0.0.1:{taken_port}", "in use", "another")
    assert ran.err.count("cannot listen") == 1


def test_a_port_that_is_taken_stops_up_and_all_that_it_had_started(
    shell: Shell, taken_port: int
) -> None:
    ran = shell.run("up", DISPATCHER_FLOWER_PORT=str(taken_port))
    assert (ran.code, ran.out) == (USAGE, "")
    assert "Traceback" not in ran.err
    last = ran.err.splitlines()[-1]
    assert last.startswith(f"error: DISPATCHER_FLOWER_PORT={taken_port}: ")
    assert "sandbox stopped" in ran.err
    assert not (shell.folder / ".voice-dispatcher" / "up.json").exists()


def test_a_flower_that_would_not_start_stops_up_and_is_not_tried_again_and_again(
    shell: Shell,
) -> None:
    ran = shell.run("up", DISPATCHER_FLOWER_API="true")
    assert (ran.code, ran.out) == (USAGE, "")
    last = ran.err.splitlines()[-1]
    assert last.startswith("error: DISPATCHER_FLOWER_API=true ")
    assert "set DISPATCHER_FLOWER_AUTH=user:password" in last
