"""The version, and the help of every command."""

from __future__ import annotations

import re

import pytest

from dispatcher import __version__
from support.cli_shell import Shell


def test_version_is_the_packages(nowhere: Shell) -> None:
    ran = nowhere.run("--version")
    assert (ran.code, ran.out, ran.err) == (0, f"{__version__}\n", "")


COMMANDS = (
    *("call", "conference", "show", "list", "stats", "why", "retry", "cancel", "prioritise"),
    *("events", "limit", "actions", "audit"),
    *("pause", "resume", "balance", "doctor", "sandbox", "up", "demo", "worker", "beat", "flower"),
    "gateway",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_that_shows_no_secret(nowhere: Shell, command: str) -> None:
    ran = nowhere(
        command,
        "--help",
        DISPATCHER_REDIS_URL="redis://:Hunter2@127.0.0.1/0",
        XOXZO_API_SID="sid",
        XOXZO_API_AUTH_TOKEN="Hunter2",
        COLUMNS="80",
    )
    assert (ran.code, ran.err) == (0, "")
    assert re.match(rf"(?i)usage: .+ {command} ", ran.out)
    assert "Hunter2" not in ran.out
    wide = [line for line in ran.out.splitlines() if len(line) > 80]
    assert wide == [] or command == "sandbox", "which has its own parser"


def test_help_lists_every_command(nowhere: Shell) -> None:
    ran = nowhere.run("--help")
    assert (ran.code, ran.err) == (0, "")
    listed = re.findall(r"^  ([a-z]+)  ", ran.out.partition("Commands:")[2], re.MULTILINE)
    assert set(COMMANDS) <= set(listed)


def test_without_a_command_the_help_is_shown(nowhere: Shell) -> None:
    ran = nowhere()
    assert ran.code == 2
    assert "Commands:" in ran.out + ran.err
