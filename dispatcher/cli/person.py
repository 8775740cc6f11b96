"""The person at the command line: who it is, why, and how one agrees to what cannot be undone."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from dispatcher.errors import UsageError
from dispatcher.model.job import LONGEST_PRODUCER

Note = Annotated[str, typer.Option(help="Why, for the timeline and the audit log.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


class NoTerminal(UsageError):
    """Somebody has to agree, and nobody can be asked; give --yes."""


class MissingOption(UsageError):
    """A command needs an option that was not given."""

    def __init__(self, option: str, remedy: str) -> None:
        super().__init__(f"missing option {option}: {remedy}")


def actor() -> str:
    """Return who acts, for the timeline: the login name behind `cli:`."""
    try:
        name = f"cli:{''.join(getpass.getuser().split())}"  # the timeline's actor is one word
    except (OSError, KeyError):
        return "cli"
    return name[:LONGEST_PRODUCER]


def can_be_asked() -> bool:
    """Whether somebody sits at a terminal: questions go to stderr, answers come from stdin."""
    return sys.stdin.isatty() and sys.stderr.isatty()
