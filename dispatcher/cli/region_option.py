"""The option `--region`, the same for all commands that take numbers."""

from __future__ import annotations

from typing import Annotated

import typer

Region = Annotated[
    str | None,
    typer.Option(
        envvar="DISPATCHER_REGION",
        help="Numbers are as people write them in this country, such as JP; else in E.164.",
    ),
]
