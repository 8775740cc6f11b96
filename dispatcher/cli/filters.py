"""The options with which commands select jobs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import datetime
from inspect import Parameter
from typing import Annotated, Any

import typer

from dispatcher.model.filters import Filter, InvalidFilter
from dispatcher.model.states import State
from dispatcher.values import durations

States = Annotated[
    list[State] | None,
    typer.Option("--state", metavar="STATE", help=f"One or more of: {', '.join(State)}."),
]
Reason = Annotated[str | None, typer.Option(help="Reason of a failure or hold, such as no_answer.")]
Tag = Annotated[str | None, typer.Option(help="Jobs with this tag.")]
Producer = Annotated[
    str | None, typer.Option(help="Who enqueued it, as the first line of the timeline says.")
]
Recipient = Annotated[str | None, typer.Option(help="A number in E.164, or its last digits.")]
Since = Annotated[
    str | None, typer.Option(help="Enqueued since: ISO 8601 with zone, or how long ago (2h).")
]
Until = Annotated[str | None, typer.Option(help="Enqueued before, in the same form.")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="The most to list.")]
Cursor = Annotated[
    str | None,
    typer.Option(help="Continue where an earlier list ended; it printed the cursor."),
]


_HINTS: dict[str, Any] = {
    "states": States,
    "reason": Reason,
    "tag": Tag,
    "recipient": Recipient,
    "since": Since,
    "until": Until,
    "producer": Producer,
}


def by_filter(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which jobs are meant; it gets them as `filter_`.

    Its options come after them. Raises InvalidMoment, BadParameter for what makes no sense.
    """
    own = inspect.signature(command, eval_str=True)
    given = [each for each in own.parameters.values() if each.name != "filter_"]
    arguments = [each for each in given if each.kind is not Parameter.KEYWORD_ONLY]
    options = [each for each in given if each.kind is Parameter.KEYWORD_ONLY]
    shared = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=hint)
        for name, hint in _HINTS.items()
    ]

    def run(*args: Any, **kwargs: Any) -> None:
        values = {name: kwargs.pop(name) for name in _HINTS}
        command(*args, **kwargs, filter_=_filter(**values))

    parameters = [*arguments, *shared, *options]
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _filter(
    *,
    states: list[State] | None,
    reason: str | None,
    tag: str | None,
    recipient: str | None,
    since: str | None,
    until: str | None,
    producer: str | None,
) -> Filter:
    bounds = past(since), past(until)
    try:
        return Filter(tuple(states or ()), reason, tag, recipient, *bounds, producer)
    except InvalidFilter as error:
        raise typer.BadParameter(error.problem, param_hint=f"--{error.field}") from None


def past(text: str | None) -> datetime | None:
    """Return the moment that an option names, or how long ago it was. Raises InvalidMoment."""
    return None if text is None else durations.past(text)
