"""Wrong usage: one sentence, the right exit code, nothing written."""

from __future__ import annotations

import pytest

from dispatcher.store import Store
from support.cli_refusals import FAILED, NUMBER, OTHERS, SAY, USAGE, nothing_written, refused
from support.cli_shell import Shell

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
