"""Groups of commands that load a command when it is named.

The overview and the shell's completion need names and one line each: those stand in a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

Found = Callable[..., None] | typer.Typer


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
        found: Found = getattr(import_module(module), name)
        return found


class LazyGroup(TyperGroup):
    """A group with the commands of its table besides those that it was given."""

    table: ClassVar[Mapping[str, Entry]] = {}

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
