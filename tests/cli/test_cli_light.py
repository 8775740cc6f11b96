"""The command line loads what a command needs, and the overview loads no command at all."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.core import TyperCommand

from dispatcher.cli.commands import COMMANDS
from dispatcher.cli.lazy import Entry, as_command
from dispatcher.cli.webhooks import Commands as WebhooksCommands
from dispatcher.store.later import LATER
from support.cli_shell import Shell

SLOW = {"celery", "kombu", "requests", "config", "workers", "asyncio"}
EVERY = {**COMMANDS, **WebhooksCommands.table}
RUN = """
import sys
from dispatcher.cli import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


def loaded(shell: Shell, *arguments: str) -> set[str]:
    """Return the modules that a fresh process has loaded when its command ends."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        cwd=shell.folder,
        env=shell.environment({}),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


def of_commands(modules: set[str]) -> set[str]:
    """Return the modules of commands among these."""
    return {entry.place.partition(":")[0] for entry in EVERY.values()} & modules


def test_the_overview_loads_no_command_and_neither_redis_nor_pydantic(nowhere: Shell) -> None:
    found = loaded(nowhere, "--help")
    assert of_commands(found) == set()
    assert found & (SLOW | {"redis", "pydantic", "rich", "phonenumbers"}) == set()


def test_a_commands_help_loads_that_command_and_no_redis(nowhere: Shell) -> None:
    found = loaded(nowhere, "list", "--help")
    assert of_commands(found) == {"dispatcher.cli.jobs"}
    assert found & (SLOW | {"redis"}) == set()


@pytest.mark.parametrize("command", [("list",), ("stats",), ("show", "--help"), ("keys", "list")])
def test_reading_loads_neither_celery_nor_requests_nor_the_provider(
    shell: Shell, command: tuple[str, ...]
) -> None:
    """Nor what checks requests, and who is on call."""
    found = loaded(shell, *command)
    assert found & (SLOW - {"asyncio"}) == set()  # redis-py brings asyncio along
    assert found & {"dispatcher.model.request", "dispatcher.model.on_call"} == set()
    assert {name for name in found if name.startswith("dispatcher.provider.xoxzo")} == set()


def test_a_list_of_jobs_loads_no_repository_that_it_does_not_ask(shell: Shell) -> None:
    found = loaded(shell, "list")
    asked = {f"dispatcher.store.{each.module}" for each in LATER.values()} & found
    assert not asked


def test_a_list_of_jobs_loads_nothing_of_what_is_known_of_all_numbers(shell: Shell) -> None:
    assert shell("call", "+818012340001", "--say", "x").code == 0
    assert "phonenumbers" not in loaded(shell, "list")


@pytest.mark.parametrize(("name", "entry"), EVERY.items(), ids=str)
def test_the_overview_says_what_the_commands_own_help_begins_with(name: str, entry: Entry) -> None:
    line = TyperCommand(name, help=entry.help)
    found = as_command(name, entry)
    assert line.get_short_help_str(200) == found.get_short_help_str(200)


def test_a_name_that_is_close_is_suggested(nowhere: Shell) -> None:
    ran = nowhere("lst")
    assert ran.code == 2
    assert "Did you mean 'list'?" in ran.err
