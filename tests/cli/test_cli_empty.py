"""Lists with nothing in them say so to people; for programs they are empty."""

from __future__ import annotations

import pytest

from dispatcher.model.request import JobRequest
from dispatcher.store import Store
from support.cli_shell import Shell


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (("list",), "jobs"),
        (("actions", "list"), "actions"),
        (("audit",), "entries"),
        (("keys", "list"), "keys"),
        (("limit", "list"), "limits"),
        (("webhooks", "list"), "webhooks"),
        (("events",), "events"),
    ],
)
def test_an_empty_list_says_so(
    shell: Shell, store: Store, command: tuple[str, ...], what: str
) -> None:
    assert store.search
    assert shell(*command).out == f"no {what}\n"
    assert shell(*command, "--json").json == []


def test_show_leaves_out_params_where_there_are_none(shell: Shell, store: Store) -> None:
    bare, full = (
        store.jobs.enqueue(
            JobRequest.of({"recipient": "+818011234567", "say": "Hi", "params": params})
        ).id
        for params in ({}, {"jp_line": "1"})
    )
    assert "params" not in shell("show", bare).out
    assert "params" in shell("show", full).out
