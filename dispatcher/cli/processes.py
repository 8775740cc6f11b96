"""The commands that run processes: from a checkout or the image, where workers/ stands beside us.

It is found by its place, not by its name: services have packages called `workers` and `config` of
their own. This package knows the module's name and what its commands are called, nothing else.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import typer

from dispatcher.cli.lazy import Entry, Found

HOME = Path(__file__).resolve().parents[2]
_OURS = ("config/settings.py", "workers/commands.py")


@dataclass(frozen=True)
class Process(Entry):
    """A command that only a checkout or the image can run."""

    @property
    def here(self) -> bool:
        """Whether this is a checkout or the image."""
        return all((HOME / file).is_file() for file in _OURS)

    def find(self) -> Found:
        """Return the command, or one that says where it is to be had."""
        if not self.here:
            return _elsewhere(self.help)
        if sys.path[0] != str(HOME):
            sys.path.insert(0, str(HOME))
        return super().find()


def _elsewhere(text: str) -> typer.Typer:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    anything = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command(help=text, context_settings=anything)(_refuse)
    return app


def _refuse(context: typer.Context) -> None:
    raise typer.BadParameter(
        f"{context.info_name} runs only from the project's checkout or container image;"
        " the installed package is for producers"
    )
