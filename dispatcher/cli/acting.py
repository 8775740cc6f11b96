"""`retry`, `reached`, `cancel` and `prioritise`: what a person does to a job, with who and why."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from typing import Annotated

import typer

from dispatcher.cli import connection, output
from dispatcher.cli.output import AsJson
from dispatcher.client import Dispatcher
from dispatcher.durations import seconds
from dispatcher.messages import feed
from dispatcher.request import FURTHEST
from dispatcher.states import Priority
from dispatcher.store import Refused, UnknownJob

Ids = Annotated[list[str], typer.Argument(metavar="ID…", help="Jobs' ids.")]
Note = Annotated[str, typer.Option(help="Why, for the timeline and the audit log.")]


def retry(
    context: typer.Context,
    ids: Ids,
    *,
    note: Note = "",
    expires: Annotated[
        str | None, typer.Option(help="A new deadline: a duration from now.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Dial again what ended without reaching anybody; all history is kept."""
    dispatcher = connection.dispatcher(context)
    span = None if expires is None else _deadline(expires)
    _each(
        dispatcher,
        ids,
        lambda id_: dispatcher.store.retry(id_, actor=actor(), why=note, expires=span),
        json=json,
    )
    feed(dispatcher.store, dispatcher.messenger)


def reached(context: typer.Context, ids: Ids, *, note: Note = "", json: AsJson = False) -> None:
    """Mark jobs whose outcome is unknown as reached: somebody has asked the person called."""
    dispatcher = connection.dispatcher(context)
    _each(
        dispatcher,
        ids,
        lambda id_: dispatcher.store.mark_reached(id_, actor=actor(), why=note),
        json=json,
    )


def cancel(context: typer.Context, ids: Ids, *, note: Note = "", json: AsJson = False) -> None:
    """End jobs that are not dialled yet."""
    dispatcher = connection.dispatcher(context)
    _each(
        dispatcher,
        ids,
        lambda id_: dispatcher.store.cancel(id_, actor=actor(), why=note),
        json=json,
    )


def prioritise(
    context: typer.Context,
    ids: Ids,
    *,
    priority: Annotated[Priority | None, typer.Option(help="The new priority.")] = None,
    note: Note = "",
    json: AsJson = False,
) -> None:
    """Give jobs that are not dialled yet another priority."""
    if priority is None:
        raise typer.BadParameter(f"say which: {', '.join(Priority)}", param_hint="--priority")
    dispatcher = connection.dispatcher(context)
    _each(
        dispatcher,
        ids,
        lambda id_: dispatcher.store.prioritise(id_, priority, actor=actor(), why=note),
        json=json,
    )
    feed(dispatcher.store, dispatcher.messenger)


def _each(
    dispatcher: Dispatcher, ids: list[str], act: Callable[[str], None], *, json: bool
) -> None:
    """Act on each job; say of every one what was done or why not. Exit 1 where one was not."""
    done, refused = [], []
    for id_ in dict.fromkeys(ids):
        try:
            act(id_)
            done.append(dispatcher.job(id_))
        except (UnknownJob, Refused) as error:
            refused.append((id_, str(error)))
    if json:
        output.as_json(
            {
                "done": [job.to_dict(mask=True) for job in done],
                "refused": [{"id": id_, "why": why} for id_, why in refused],
            }
        )
    else:
        for job in done:
            output.one_line(job)
    for _, why in refused:
        typer.echo(f"error: {why}", err=True)
    if refused:
        raise typer.Exit(1)


def _deadline(text: str) -> float:
    """Return a deadline in seconds from now, within the bounds of a new job's."""
    span = seconds(text)
    if not 0 < span <= FURTHEST.total_seconds():
        raise typer.BadParameter(
            f"{text!r} is not ahead of now by {FURTHEST.days} days at most", param_hint="--expires"
        )
    return span


def actor() -> str:
    """Return who acts, for the timeline: the login name behind `cli:`."""
    try:
        return f"cli:{''.join(getpass.getuser().split())}"  # the timeline's actor is one word
    except (OSError, KeyError):
        return "cli"
