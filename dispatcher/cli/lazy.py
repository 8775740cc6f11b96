"""Groups of commands that load a command when it is named.

The overview and the shell's completion need names and one line each: those stand in a table.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

Found = Callable[..., None] | typer.Typer


class NobodyAnswered(Exception):
    """Somebody was to be asked, and there was no answer."""


class Interrupted(Exception):
    """Somebody pressed Ctrl-C, which typer would end without a word."""


@dataclass(frozen=True)
class Entry:
    """A command of the table: where it is found (`module:name`, a function or a group), and what
    the overview says of it, which is how its own help begins.
    """

    place: str
    help: str

    def find(self) -> Found:
        """Return the command's function, or the app of a group; its module is imported."""
        module, _, name = self.place.partition(":")
        # What loading makes stays: to look through it for garbage is a tenth of a short command.
        gc.disable()
        try:
            found: Found = getattr(import_module(module), name)
        finally:
            gc.freeze()
            gc.enable()
        return found


class LazyGroup(TyperGroup):
    """A group with the commands of its table besides those that it was given."""

    table: ClassVar[Mapping[str, Entry]] = {}
    sections: ClassVar[Mapping[str, Sequence[str]]] = {}
    """The names of commands by what they are for, in the overview's order; {}: no sections."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name, entry in self.table.items():
            self.commands[name] = TyperCommand(name, help=entry.help)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Put the real command in the place of its line; the rest is as in any group."""
        name = args[0]
        if name in self.table:
            self.commands[name] = as_command(name, self.table[name])
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Raises Interrupted, also at a question, and NobodyAnswered."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted from None
        except typer.Abort as error:
            if isinstance(error.__context__, KeyboardInterrupt):
                raise Interrupted from None
            raise NobodyAnswered from None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the overview, in sections."""
        if not self.sections:
            super().format_commands(ctx, formatter)
            return
        formatter.write("\nCommands:\n")
        longest = max(map(len, self.table))
        for title, names in self.sections.items():
            lines = [(name.ljust(longest), self.table[name].help) for name in names]
            with formatter.section(title):
                formatter.write_dl(lines)


def group(help_: str, cls: type[TyperGroup] = TyperGroup) -> typer.Typer:
    """Return an app for commands with a first word in common."""
    return typer.Typer(
        help=help_, cls=cls, no_args_is_help=True, add_completion=False, rich_markup_mode=None
    )


def as_command(name: str, entry: Entry) -> Any:
    """Return the command of an entry: a TyperCommand or a TyperGroup."""
    found = entry.find()
    if isinstance(found, typer.Typer):
        return get_command(found)
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name)(found)
    return get_command(app)
