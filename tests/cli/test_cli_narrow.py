"""What fits on a terminal of 80 columns: whole lines, what matters first, nothing lost unsaid."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from dispatcher.model.api_key import Scope
from dispatcher.model.do_not_call import Wish
from dispatcher.model.request import JobRequest
from dispatcher.store import Store
from dispatcher.store.holds import PauseScope
from dispatcher.values.masking import mask_number
from support.alert_chains import publish
from support.cli_shell import Shell
from support.seen_alerts import event, reported
from support.terminal import in_a_terminal, plain

NUMBER = "+818011234567"
LONG = "and much more to say of it, " * 6
HEBREW = "\u05e9\u05dc\u05d5\u05dd"
JAPANESE = "\u6771\u4eac\u90fd\u5e81\u306e\u304a\u77e5\u3089\u305b"


@pytest.fixture
def full(store: Store) -> Store:
    """A store in which every list has a row with long, wide and turned texts."""
    tags = ("campaign:spring-in-tokyo", "visit", JAPANESE, HEBREW)
    job = JobRequest.of({"recipient": NUMBER, "say": LONG, "tags": tags, "meta": {"note": LONG}})
    id_ = store.jobs.enqueue(job).id
    store.jobs.cancel(id_, actor="cli:somebody-with-a-long-name", note=LONG)
    store.api_keys.create("billing-of-the-main-warehouse", list(Scope), note=LONG + JAPANESE)
    store.do_not_call.add([Wish(NUMBER, reason=LONG[:100])], actor="cli:sam")
    publish(store, {"call": ["ann"]})
    reported(store, event(summary=f"{LONG}{JAPANESE}"))
    store.holds.pause(PauseScope(), actor="cli:sam", note=LONG)
    return store


LISTS = [
    *(("list",), ("stats",), ("audit",), ("events",), ("campaign", "list"), ("alerts", "list")),
    *(("campaign", "show", "spring-in-tokyo"), ("keys", "list"), ("dnc", "list")),
    *(("chains", "list"), ("chains", "versions"), ("limit", "list"), ("alerts", "summary")),
]


@pytest.mark.parametrize("command", LISTS, ids=" ".join)
@pytest.mark.parametrize("columns", [80, 60])
def test_no_line_is_wider_than_the_terminal(
    shell: Shell, full: Store, command: tuple[str, ...], columns: int
) -> None:
    assert full.jobs
    lines = plain(in_a_terminal(shell, *command, columns=columns))
    assert lines
    assert [line for line in lines if cell_len(line) > columns] == []
    assert "Traceback" not in "".join(lines)


def test_a_job_with_all_that_is_known_fits(shell: Shell, full: Store) -> None:
    (job,) = shell("list", "--json").json
    lines = plain(in_a_terminal(shell, "show", job["id"]))
    assert [line for line in lines if cell_len(line) > 80] == []
    assert HEBREW in "".join(lines)
    (alert,) = shell("alerts", "list", "--json").json
    lines = plain(in_a_terminal(shell, "alerts", "show", alert["id"]))
    assert [line for line in lines if cell_len(line) > 80] == []


def test_what_matters_stands_first_and_what_has_no_room_is_named(shell: Shell, full: Store) -> None:
    (job,) = shell("list", "--json").json
    lines = plain(in_a_terminal(shell, "list"))
    header, line, *_, last = lines
    assert header.split()[:3] == ["id", "state", "recipient"]
    assert line.split()[:3] == [job["id"], "cancelled", mask_number(NUMBER)]
    assert last.startswith("no room for: ")
    assert "tags" in last or "spring" in "".join(lines)


def test_in_a_pipe_a_row_is_a_line_however_long(shell: Shell, full: Store) -> None:
    header, line = shell("list").out.splitlines()
    assert header.split()[-1] == "attempts"
    for tag in ("campaign:spring-in-tokyo", "visit", JAPANESE, HEBREW):
        assert tag in line
    assert LONG.strip() in shell("audit").out


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
    ids=["xterm", "NO_COLOR", "dumb"],
)
def test_colours_are_for_terminals_that_want_them(
    shell: Shell, full: Store, variables: dict[str, str], coloured: bool
) -> None:
    printed = in_a_terminal(shell, "list", **variables)
    assert ("\x1b[" in printed) is coloured
    assert "cancelled" in printed, "the word says it, too"
    assert "\x1b" not in shell("list").out


def test_a_text_from_right_to_left_turns_nothing_beside_it(shell: Shell, full: Store) -> None:
    printed = in_a_terminal(shell, "list", columns=160)
    assert "\u2068" in printed
    assert "\u2068" not in shell("list").out
