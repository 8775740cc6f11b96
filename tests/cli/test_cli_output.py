"""What is printed whatever it holds, wherever it goes: terminals, and readers who stop reading."""

from __future__ import annotations

import subprocess

import pytest

from dispatcher.store import Store
from support.cli_jobs import NUMBER, add
from support.cli_shell import Shell


def test_what_others_wrote_neither_breaks_nor_steers_the_terminal(
    shell: Shell, store: Store
) -> None:
    said = "[/b] :smile: [red]x \x1b[2J"
    id_ = shell("call", NUMBER, "--say", said, "--tag", "[/i]", "--json").json["id"]
    shown, listed = shell("show", id_), shell("list")
    assert (shown.code, listed.code) == (0, 0)
    assert "[/b] :smile: [red]x \\x1b[2J" in shown.out
    assert "\x1b" not in shown.out
    assert "[/i]" in listed.out


def test_a_terminal_that_knows_no_japanese_is_served_all_the_same(shell: Shell) -> None:
    id_ = shell("call", NUMBER, "--say", "ディスク", "--json").json["id"]
    ran = shell.run("show", id_, PYTHONIOENCODING="ascii")
    assert (ran.code, ran.err) == (0, "")
    assert r"\u30c7" in ran.out


@pytest.mark.parametrize(
    ("jobs", "form"),
    [(1, ("--json",)), (300, ())],
    ids=["less than a buffer", "more than a pipe holds"],
)
def test_a_reader_that_has_enough_is_left_in_peace(
    shell: Shell, store: Store, jobs: int, form: tuple[str, ...]
) -> None:
    for _ in range(jobs):
        add(store)
    process = shell.start("list", "--limit", "1000", *form)
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    err = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(30) == 1
    assert err == ""


def test_a_head_that_takes_one_line_gets_it(shell: Shell, store: Store) -> None:
    for _ in range(300):
        add(store)
    process = shell.start("list", "--limit", "1000")
    with subprocess.Popen(["head", "-1"], stdin=process.stdout, stdout=subprocess.PIPE) as head:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        line = head.communicate(timeout=30)[0].decode()
    assert line.split()[:2] == ["id", "state"]
    err = process.stderr.read().decode()
    process.stderr.close()
    process.wait(30)
    assert err == ""
