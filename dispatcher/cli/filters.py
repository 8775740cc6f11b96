"""The options by which commands say which jobs are meant."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from dispatcher.durations import InvalidMoment, moment
from dispatcher.states import State
from dispatcher.store.listing import Filter

States = Annotated[
    list[State] | None, typer.Option("--state", help="A state; may be given several times.")
]
Reason = Annotated[str | None, typer.Option(help="Reason of failure or hold, such as no_answer.")]
Tag = Annotated[str | None, typer.Option(help="A tag.")]
Recipient = Annotated[str | None, typer.Option(help="A number in E.164, or its last digits.")]
Since = Annotated[
    str | None, typer.Option(help="Created since: ISO 8601 with zone, or how long ago (2h).")
]
Until = Annotated[
    str | None, typer.Option(help="Created before: ISO 8601 with zone, or how long ago.")
]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="Most jobs to list.")]

_NUMBER_OR_END = re.compile(r"\+?[0-9]+")


def meant(
    *,
    states: list[State] | None,
    reason: str | None,
    tag: str | None,
    recipient: str | None,
    since: str | None,
    until: str | None,
) -> Filter:
    """Return the filter that the options describe. Raises InvalidMoment, BadParameter."""
    if recipient is not None and not _NUMBER_OR_END.fullmatch(recipient):
        raise typer.BadParameter(
            f"{recipient!r} is not a number or its last digits", param_hint="--recipient"
        )
    return Filter(tuple(states or ()), reason, tag, recipient, _past(since), _past(until))


def _past(text: str | None) -> datetime | None:
    if text is None:
        return None
    value = moment(text)
    try:
        return datetime.now(UTC) - value if isinstance(value, timedelta) else value
    except OverflowError:
        raise InvalidMoment(f"{text} ago is further back than the calendar goes") from None
