"""What a person at the command line meets first: help, errors, questions, waiting, Ctrl-C."""

from __future__ import annotations

import signal
import subprocess

import pytest

from dispatcher.cli import jobs
from dispatcher.cli.commands import COMMANDS, SECTIONS
from dispatcher.store import Store
from dispatcher.store.holds import PauseScope
from support.cli_jobs import NUMBER, add
from support.cli_shell import Shell
from support.terminal import in_a_terminal, plain


def test_each_command_is_in_one_section_of_the_overview() -> None:
    named = [name for names in SECTIONS.values() for name in names]
    assert sorted(named) == sorted(COMMANDS)


def test_the_overview_says_how_to_begin_and_fits_80_columns(nowhere: Shell) -> None:
    ran = nowhere("--help", COLUMNS="80")
    first = ran.out.partition("Options:")[0]
    assert "voice-dispatcher up" in first
    assert "voice-dispatcher call +818012340001" in first
    assert "Exit codes: 0 done, 1 it failed, 2 wrong usage" in first
    assert [line for line in ran.out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("call",), ("list", "--state", "lost"), ("list", "--limit", "x"), ("show",)],
    ids=" ".join,
)
def test_wrong_usage_says_how_it_is_used_and_then_what_is_wrong(
    nowhere: Shell, arguments: tuple[str, ...]
) -> None:
    ran = nowhere(*arguments)
    assert (ran.code, ran.out) == (2, "")
    usage, *_, last = ran.err.splitlines()
    assert usage.startswith("Usage: voice-dispatcher")
    assert "--help' for help." in ran.err
    assert last.startswith("error: ")


def test_times_are_in_utc_for_who_says_so(shell: Shell, store: Store) -> None:
    add(store)
    assert shell("--utc", "list").out.splitlines()[1].count(" UTC") == 1
    assert " JST" in shell.run("list", TZ="Asia/Tokyo").out
    assert " JST" not in shell.run("--utc", "list", TZ="Asia/Tokyo").out


def test_a_question_that_nobody_can_answer_is_no(shell: Shell, store: Store) -> None:
    add(store)
    code, shown = shell.at_a_terminal("\x04", "cancel", "--state", "queued")  # Ctrl-D
    assert code == 1
    assert "error: nobody answered the question, so nothing was done" in shown


def test_ctrl_c_leaves_a_sentence(
    shell: Shell, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    add(store)
    monkeypatch.setattr(jobs, "_listed", interrupted)
    ran = shell("list")
    assert (ran.code, ran.out) == (130, "")
    assert ran.err == "error: interrupted; what was done so far stays done\n"


class TestWaiting:
    """`--wait`."""

    def start(self, shell: Shell, *more: str) -> subprocess.Popen[bytes]:
        return shell.start("call", NUMBER, "--say", "Hi", "--key", "k", "--wait", *more)

    def test_it_says_why_it_waits_at_each_change(self, shell: Shell, store: Store) -> None:
        store.holds.pause(PauseScope(), actor="cli:sam", note="lunch")
        process = self.start(shell, "--timeout", "60s")
        assert process.stderr
        first, why = process.stderr.readline().decode(), process.stderr.readline().decode()
        assert first.endswith("waiting until it has ended\n")
        assert "paused by cli:sam: lunch" in why
        store.jobs.cancel(first.split()[1].rstrip(":"), actor="cli:sam", note="not needed")
        out, err = process.communicate(timeout=180)
        assert process.returncode == 1
        assert err == b""
        assert b"cancelled" in out

    def test_on_a_terminal_it_says_why_in_one_line_that_goes(
        self, shell: Shell, store: Store
    ) -> None:
        store.holds.pause(PauseScope(), actor="cli:sam", note="lunch")
        command = ("call", NUMBER, "--say", "Hi", "--wait", "--timeout", "1.2s")
        printed = in_a_terminal(shell, *command)
        assert "\r\x1b[Kqueued: it is in line, and calls are held: paused by cli:sam" in printed
        assert [line for line in plain(printed) if line.startswith("queued:")] == []

    def test_the_time_is_over(self, shell: Shell, store: Store) -> None:
        store.holds.pause(PauseScope(), actor="cli:sam", note="lunch")
        ran = shell("call", NUMBER, "--say", "Hi", "--wait", "--timeout", "0.1s")
        assert ran.code == 1
        last = ran.err.splitlines()[-1]
        assert last.startswith("error: job ")
        assert "lunch" in last
        assert "the job continues" in last

    def test_ctrl_c_leaves_the_job_and_says_so(self, shell: Shell, store: Store) -> None:
        process = self.start(shell)
        assert process.stderr
        process.stderr.readline()
        process.send_signal(signal.SIGINT)
        ran = shell.end(process)
        assert ran.code == 130
        assert "is queued; it continues" in ran.err
