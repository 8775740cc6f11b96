"""Settings that cannot be, ports that are taken: what keeps processes from starting."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.store import Store
from support.cli_refusals import BOUNDS, FAILED, REAL, USAGE, nothing_written, refused
from support.cli_shell import Shell

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
