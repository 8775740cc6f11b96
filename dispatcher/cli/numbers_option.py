"""The options that say how the numbers of a file are written: `--region` and `--plus`."""

from __future__ import annotations

from typing import Annotated

import typer

from dispatcher.rows.form import Numbers
from dispatcher.values.regions import UnknownRegion, parse_region

Plus = Annotated[
    bool, typer.Option("--plus", help="Numbers without + begin with their country code.")
]


def numbers_of(context: typer.Context, region: str | None, *, plus: bool) -> Numbers:
    """Return how numbers are written. Raises typer.BadParameter."""
    source = context.get_parameter_source("region")
    if plus and source is not None and source.name == "ENVIRONMENT":
        region = None  # what was said for all commands gives way to what was said for this one
    if region and plus:
        raise typer.BadParameter("it cannot be used with --region", param_hint="--plus")
    try:
        return Numbers(parse_region(region) if region else None, plus)
    except UnknownRegion as error:
        raise typer.BadParameter(str(error), param_hint="--region") from None
