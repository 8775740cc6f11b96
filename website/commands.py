"""The page of all commands: what `--help` says of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from dispatcher.cli import app
from dispatcher.sandbox import caller
from dispatcher.sandbox.__main__ import parser_of

NAME = "voice-dispatcher"
HEAD = f"""# Commands

What `{NAME} COMMAND --help` says of each command. [The command line](command-line.md) has
what all of them have in common: exit codes, times, JSON, completion.
"""
SANDBOX = f"{NAME} sandbox"
WIDTH = 80
"""Columns of a help text."""


def page() -> str:
    """Return the page, in Markdown."""
    return HEAD + "".join(_section(path, text) for path, text in _all())


def _all() -> Iterator[tuple[str, str]]:
    """Yield all commands. The sandbox imports nothing of the rest, and has parsers of its own."""
    for path, text in helps(get_command(app), NAME):
        if path == SANDBOX:
            yield path, parser_of(path).format_help()
            yield f"{path} dial-in", caller.parser_of(f"{path} dial-in", None).format_help()
        else:
            yield path, text


def helps(command: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield each command's words, such as `voice-dispatcher keys create`, with its help text, in
    the order of the overview.
    """
    with command.make_context(
        path, [], resilient_parsing=True, terminal_width=WIDTH, max_content_width=WIDTH
    ) as context:
        yield path, command.get_help(context)
        if isinstance(command, TyperGroup):
            for name in command.list_commands(context):
                _, below, _ = command.resolve_command(context, [name])
                yield from helps(below, f"{path} {name}")


def _section(path: str, text: str) -> str:
    title = path.removeprefix(f"{NAME} ")
    return f"\n## {title}\n\n```text\n{text.rstrip()}\n```\n"
