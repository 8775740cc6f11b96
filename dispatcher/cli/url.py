"""`url`: where what runs here is reached, for a shell and for services of one's own."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dispatcher.cli import connection, output
from dispatcher.cli.output import AsJson
from dispatcher.errors import DispatcherError
from dispatcher.running import find_running


class Part(StrEnum):
    """What has a URL."""

    REDIS = "redis"
    BROKER = "broker"
    GATEWAY = "gateway"
    FLOWER = "flower"
    SANDBOX = "sandbox"


class NotHere(DispatcherError):
    """No `up` of this directory runs that."""

    def __init__(self, part: Part) -> None:
        super().__init__(f"no {part} runs here: start `voice-dispatcher up` in this directory")


def url(
    context: typer.Context,
    part: Annotated[Part, typer.Argument(help="The part to print the address of.")] = Part.REDIS,
    *,
    json: AsJson = False,
) -> None:
    """Print the address of Redis, or of a part of `up`. It includes the password."""
    known = connection.of(context)
    found = _url(known, part)
    if json:
        output.as_json({"part": part, "url": found, "namespace": known.namespace})
    else:
        typer.echo(found)


def _url(known: connection.Connection, part: Part) -> str:
    """Return a URL. Raises NoDispatcher, NotHere."""
    if part is Part.REDIS:
        return known.url()
    if part is Part.BROKER:
        return known.broker()
    found: str | None = getattr(find_running(Path.cwd()), f"{part}_url", None)
    if found is None:
        raise NotHere(part)
    return found
