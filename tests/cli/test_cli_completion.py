"""Completion, in the shells themselves: names of commands and options, and values where few are."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import time
from functools import cache

import pytest

from dispatcher.store import Store
from support.cli_shell import SCRIPT, Shell
from support.polling import eventually
from support.store_jobs import request

BASH = """
eval "$COMPLETION"
complete -p voice-dispatcher >/dev/null || exit 1
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_voice_dispatcher_completion voice-dispatcher
printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = """
printf '%s\\n' "$COMPLETION" | source
complete -C "$argv"
"""
ZSH = """
autoload -U compinit && compinit -u -D
eval "$COMPLETION"
(( $+_comps[voice-dispatcher] )) || exit 1
_TYPER_COMPLETE_ARGS="$*" _VOICE_DISPATCHER_COMPLETE=complete_zsh voice-dispatcher
"""
CASES = [
    (("pri",), {"prioritise"}),
    (("re",), {"retry", "reached", "resume", "restored"}),
    (("keys", ""), {"create", "list", "show", "revoke"}),
    (("webhooks", "r"), {"retry", "run"}),
    (("list", "--st"), {"--state"}),
    (("list", "--state", "c"), {"completed", "cancelled"}),
    (("call", "+818011234567", "--priority", ""), {"urgent", "normal", "bulk"}),
    (("url", "ga"), {"gateway"}),
]
A_NAME_AN_OPTION_A_VALUE = [CASES[0], CASES[4], CASES[5]]


PATH = f"{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}"


@cache
def completion(shell: str) -> str:
    """Return what a shell is told once, when it starts."""
    asked = {"PATH": PATH, "_VOICE_DISPATCHER_COMPLETE": f"source_{shell}"}
    return subprocess.run(
        [SCRIPT], env=asked, capture_output=True, text=True, check=True, timeout=120
    ).stdout


def asked(shell: Shell, *command: str) -> list[str]:
    """Return the lines that a shell prints in which our command is on the path."""
    done = subprocess.run(
        command,
        cwd=shell.folder,
        env=shell.environment({"PATH": PATH, "COMPLETION": completion(command[0])}),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,  # a busy machine
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"there is no {program} here")


@pytest.mark.parametrize(("typed", "wanted"), CASES)
def test_bash(nowhere: Shell, typed: tuple[str, ...], wanted: set[str]) -> None:
    found = asked(nowhere, "bash", "--norc", "-c", BASH, "bash", "voice-dispatcher", *typed)
    assert set(found) == wanted


@needs("fish")
@pytest.mark.parametrize(("typed", "wanted"), A_NAME_AN_OPTION_A_VALUE)
def test_fish(nowhere: Shell, typed: tuple[str, ...], wanted: set[str]) -> None:
    line = " ".join(["voice-dispatcher", *typed])
    found = asked(nowhere, "fish", "--no-config", "-c", FISH, line)
    assert {each.partition("\t")[0] for each in found} == wanted


@needs("zsh")
@pytest.mark.parametrize(("typed", "wanted"), A_NAME_AN_OPTION_A_VALUE)
def test_zsh(nowhere: Shell, typed: tuple[str, ...], wanted: set[str]) -> None:
    found = asked(nowhere, "zsh", "-f", "-c", ZSH, "zsh", "voice-dispatcher", *typed)
    assert found[0].startswith("_arguments '*: :((")
    assert set(re.findall(r'(?:^|\(\()"([^"]+)"', "\n".join(found), re.MULTILINE)) == wanted


def test_what_only_redis_knows_is_completed_where_it_answers(shell: Shell, store: Store) -> None:
    for tag in ("campaign:spring", "campaign:sport", "campaign:to-818012340001"):
        store.jobs.enqueue(request(tags=(tag,)))
    for typed in ("sp", ""):
        words = ("voice-dispatcher", "campaign", "show", typed)
        found = eventually(  # a busy machine may not answer in time: one presses TAB again
            lambda words=words: [  # type: ignore[misc]
                each for each in asked(shell, "bash", "--norc", "-c", BASH, "bash", *words) if each
            ]
        )
        assert set(found) == {"spring", "sport"}


def test_nothing_that_is_completed_needs_a_redis_or_a_right_environment(nowhere: Shell) -> None:
    shell = Shell(nowhere.folder, DISPATCHER_NAMESPACE="not a namespace", DISPATCHER_REDIS_URL="?")
    assert asked(shell, "bash", "--norc", "-c", BASH, "bash", "voice-dispatcher", "lis") == ["list"]
    typed = ("voice-dispatcher", "campaign", "show", "sp")
    assert asked(shell, "bash", "--norc", "-c", BASH, "bash", *typed) == [""]


def test_the_tabulator_key_in_a_terminal(nowhere: Shell) -> None:
    """Half a name, the key, and the rest: bash runs the command that it means."""
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        ["bash", "--norc", "-i"],
        cwd=nowhere.folder,
        env=nowhere.environment({"PATH": PATH, "TERM": "dumb", "COLUMNS": "200"}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        os.write(ours, b'eval "$(_VOICE_DISPATCHER_COMPLETE=source_bash voice-dispatcher)"\n')
        os.write(ours, b"voice-dispatcher prio\t--help\nexit\n")
        shown = _until(ours, b"Usage: voice-dispatcher prioritise", 30)
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)
    assert b"Usage: voice-dispatcher prioritise" in shown


def _until(terminal: int, words: bytes, seconds: float) -> bytes:
    shown, deadline = b"", time.monotonic() + seconds
    while words not in shown and time.monotonic() < deadline:
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # the other side is closed
            break
    return shown
