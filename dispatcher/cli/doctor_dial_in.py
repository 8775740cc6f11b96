"""Whether people who are called for alerts can call back: only a checkout or the image knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import typer

from dispatcher.cli.processes import Process
from dispatcher.cli.provider import NoCredentials
from dispatcher.errors import DispatcherError


def found(context: typer.Context) -> Iterator[tuple[str, str]]:
    """Yield a level and what is said of it; nothing where no chain calls anybody."""
    process = Process("workers.dial_in_check:examine", "Check whether people can call back.")
    if not process.here:
        return
    check = cast("Callable[[typer.Context], Iterator[tuple[str, str]]]", process.find())
    try:
        yield from check(context)
    except NoCredentials:  # said already
        return
    except DispatcherError as error:
        yield "warn", str(error)
