"""`retry`, `reached`, `cancel` and `prioritise`: what a person does to jobs, with who and why.

Jobs that are named by their ids are acted on one by one, at once; those that a filter means are
previewed and confirmed first (`bulk.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from dispatcher.cli import bulk_actions as bulk
from dispatcher.cli import connection, output
from dispatcher.cli.bulk_actions import Order
from dispatcher.cli.filters import by_filter
from dispatcher.cli.job_output import one_line
from dispatcher.cli.output import AsJson
from dispatcher.cli.person import DryRun, MissingOption, Note, Yes, actor
from dispatcher.client.dispatcher import Dispatcher
from dispatcher.client.messages import wake
from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.filters import Filter
from dispatcher.model.request_limits import FURTHEST
from dispatcher.model.states import Priority
from dispatcher.store import Store
from dispatcher.store.values import Refused, UnknownJob
from dispatcher.values.durations import seconds

Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID… | FILTER", help="Job ids, or options that select jobs."),
]


@by_filter
def retry(
    context: typer.Context,
    ids: Ids = None,
    *,
    filter_: Filter,
    expires: Annotated[
        str | None, typer.Option(help="A new deadline: a duration from now.")
    ] = None,
    uncertain: Annotated[
        bool,
        typer.Option(
            "--uncertain",
            help="Also jobs whose call may be under way: some people may be called twice.",
        ),
    ] = False,
    note: Note = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    json: AsJson = False,
) -> None:
    """Dial jobs again that reached nobody. Their history is kept.

    \b
    Examples:
      voice-dispatcher retry ID --note "number corrected"
      voice-dispatcher retry --state failed --since 2h --dry-run
      voice-dispatcher retry --tag campaign:spring --state failed --yes
    """
    span = None if expires is None else _deadline(expires)
    how = {"expires": span, "uncertain": uncertain}
    order = Order(BulkActionKind.RETRY, how, note, dry_run=dry_run, yes=yes, json=json)
    _act(context, ids, filter_, order, lambda store: store.jobs.retry, **how)


@by_filter
def reached(
    context: typer.Context,
    ids: Ids = None,
    *,
    filter_: Filter,
    note: Note = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    json: AsJson = False,
) -> None:
    """Mark jobs of unknown outcome as reached. Use it after somebody asked the person."""
    order = Order(BulkActionKind.REACHED, {}, note, dry_run=dry_run, yes=yes, json=json)
    _act(context, ids, filter_, order, lambda store: store.jobs.mark_reached)


@by_filter
def cancel(
    context: typer.Context,
    ids: Ids = None,
    *,
    filter_: Filter,
    note: Note = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    json: AsJson = False,
) -> None:
    """Cancel jobs that are not dialled yet.

    \b
    Examples:
      voice-dispatcher cancel ID
      voice-dispatcher cancel --tag campaign:spring --note "wrong text"
    """
    order = Order(BulkActionKind.CANCEL, {}, note, dry_run=dry_run, yes=yes, json=json)
    _act(context, ids, filter_, order, lambda store: store.jobs.cancel)


@by_filter
def prioritise(
    context: typer.Context,
    ids: Ids = None,
    *,
    filter_: Filter,
    priority: Annotated[Priority | None, typer.Option(help="The new priority (required).")] = None,
    note: Note = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    json: AsJson = False,
) -> None:
    """Change the priority of jobs that are not dialled yet."""
    if priority is None:
        raise MissingOption("--priority", f"choose one of {', '.join(Priority)}")
    how = {"priority": priority}
    order = Order(BulkActionKind.PRIORITISE, how, note, dry_run=dry_run, yes=yes, json=json)
    _act(context, ids, filter_, order, lambda store: store.jobs.prioritise, **how)


def _act(
    context: typer.Context,
    ids: list[str] | None,
    filter_: Filter,
    order: Order,
    single: Callable[[Store], Callable[..., None]],
    **how: object,
) -> None:
    """Act on the jobs that are named or that the filter means: never on all by accident."""
    everything = filter_ == Filter()
    if not ids and everything:
        raise typer.BadParameter(
            "say which jobs: give ids, or a filter such as --state failed",
            param_hint="ID… | FILTER",
        )
    if ids and not everything:
        raise typer.BadParameter("give ids or a filter, not both", param_hint="ID… | FILTER")
    if not ids:
        bulk.require_consent(order)
    dispatcher = connection.dispatcher(context)
    if not ids or order.dry_run:
        bulk.run(dispatcher, ids or filter_, order, actor())
        return
    if how.get("uncertain"):
        typer.echo("warning: a call may be under way: some people may be called twice", err=True)
    act = single(dispatcher.store)
    refused = _each(
        dispatcher,
        ids,
        lambda id_: act(id_, actor=actor(), note=order.note, **how),
        json=order.json,
    )
    wake(dispatcher.store, dispatcher.messenger)
    if refused:
        raise typer.Exit(1)


def _each(
    dispatcher: Dispatcher, ids: list[str], act: Callable[[str], None], *, json: bool
) -> bool:
    """Act on each job; say of every one what was done or why not. True where one was not."""
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
            one_line(job)
    for _, why in refused:
        typer.echo(f"error: {why}", err=True)
    return bool(refused)


def _deadline(text: str) -> float:
    """Return a deadline in seconds from now, within the bounds of a new job's."""
    span = seconds(text)
    if not 0 < span <= FURTHEST.total_seconds():
        raise typer.BadParameter(
            f"{text!r} is not a deadline between now and {FURTHEST.days} days ahead",
            param_hint="--expires",
        )
    return span
