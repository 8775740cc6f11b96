"""The options by which commands say which jobs are meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from dispatcher.durations import InvalidMoment, moment
from dispatcher.states import State
from dispatcher.store.filters import Filter, InvalidFilter

States = Annotated[
    list[State] | None, typer.Option("--state", help="A state; may be given several times.")
]
Reason = Annotated[str | None, typer.Option(help="Reason of failure or hold, such as no_answer.")]
Tag = Annotated[str | None, typer.Option(help="A tag.")]
Producer = Annotated[
    str | None, typer.Option(help="Who enqueued it, as the timeline's first line says.")
]
Recipient = Annotated[str | None, typer.Option(help="A number in E.164, or its last digits.")]
Since = Annotated[
    str | None, typer.Option(help="Created since: ISO 8601 with zone, or how long ago (2h).")
]
Until = Annotated[
    str | None, typer.Option(help="Created before: ISO 8601 with zone, or how long ago.")
]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="Most jobs to list.")]


def meant(
    *,
    states: list[State] | None,
    reason: str | None,
    tag: str | None,
    recipient: str | None,
    since: str | None,
    until: str | None,
    producer: str | None = None,
) -> Filter:
    """Return the filter that the options describe. Raises InvalidMoment, BadParameter."""
    bounds = _past(since), _past(until)
    try:
        return Filter(tuple(states or ()), reason, tag, recipient, *bounds, producer)
    except InvalidFilter as error:
        raise typer.BadParameter(error.problem, param_hint=f"--{error.field}") from None


def _past(text: str | None) -> datetime | None:
    if text is None:
        return None
    value = moment(text)
    try:
        return datetime.now(UTC) - value if isinstance(value, timedelta) else value
    except OverflowError:
        raise InvalidMoment(f"{text} ago is further back than the calendar goes") from None
