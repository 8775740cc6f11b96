"""`pause` and `resume`: stop dialling, the whole account or a part of it, and go on."""

from __future__ import annotations

from typing import Annotated

import typer

from dispatcher.cli import connection, output
from dispatcher.cli.output import AsJson
from dispatcher.cli.person import actor
from dispatcher.model.states import Priority
from dispatcher.model.tags import tag as one_tag
from dispatcher.statistics import after_pausing
from dispatcher.store.holds import PauseScope

Note = Annotated[
    str, typer.Option("--note", "--why", help="A note for others, shown with the held jobs.")
]
Tag = Annotated[str | None, typer.Option(help="Only jobs with this tag.")]
Only = Annotated[Priority | None, typer.Option("--priority", help="Only jobs of this priority.")]


def pause(
    context: typer.Context,
    *,
    note: Note = "",
    tag: Tag = None,
    priority: Only = None,
    json: AsJson = False,
) -> None:
    """Stop new calls until `resume`, also over restarts. Calls under way go on.

    \b
    Examples:
      voice-dispatcher pause --note "provider maintenance"
      voice-dispatcher pause --tag campaign:spring
    """
    scope = _scope(tag, priority)
    store = connection.dispatcher(context).store
    changed = store.holds.pause(scope, actor=actor(), note=note)
    reasons = "; ".join(hold.why for hold in store.holds.all() if hold.name == scope.hold)
    _say(
        {"paused": str(scope), "why": reasons, **after_pausing(store, scope, changed=changed)},
        "paused" if changed else f"stays {reasons}",
        json=json,
    )


def resume(
    context: typer.Context,
    *,
    note: Note = "",
    tag: Tag = None,
    priority: Only = None,
    unusual: Annotated[
        bool, typer.Option("--unusual", help="End the hold for unusual calls instead of a pause.")
    ] = False,
    json: AsJson = False,
) -> None:
    """End a pause. Held jobs are dialled in their order, within the rate limit."""
    scope = _scope(tag, priority, unusual=unusual)
    store = connection.dispatcher(context).store
    changed = store.holds.resume(scope, actor=actor(), note=note)
    _say(
        {"resumed": str(scope), **after_pausing(store, scope, changed=changed)},
        "resumed" if changed else "was not held" if unusual else "was not paused",
        json=json,
    )


def _scope(tag: str | None, priority: Priority | None, *, unusual: bool = False) -> PauseScope:
    if unusual and (tag is not None or priority is not None):
        raise typer.BadParameter("give it without --tag and --priority", param_hint="--unusual")
    if tag is not None and priority is not None:
        raise typer.BadParameter("give --tag or --priority, not both", param_hint="--tag")
    try:
        return PauseScope(tag if tag is None else one_tag(tag), priority, unusual)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--tag") from None


def _say(found: dict[str, object], words: str, *, json: bool) -> None:
    if json:
        output.as_json(found)
    else:
        output.line(f"{next(iter(found.values()))}: {words}")
