"""`show`, `list`, `stats`, `why`: what became of it, and how things stand."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from dispatcher.cli import connection, output
from dispatcher.cli.filters import Cursor, Limit, by_filter
from dispatcher.cli.one_alert import explain_alert, is_alert, show_alert
from dispatcher.cli.output import AsJson
from dispatcher.model.campaign import campaign_of_tag
from dispatcher.model.filters import Filter
from dispatcher.model.states import State
from dispatcher.store import Store
from dispatcher.store.search import Page
from dispatcher.values.durations import spoken
from dispatcher.values.masking import mask_all
from dispatcher.values.rate import Rate
from dispatcher.why import why as explain

_ID = "A job's id, a call's, or an alert's."


def show(
    context: typer.Context,
    job: Annotated[str, typer.Argument(metavar="ID", help=_ID)],
    *,
    json: AsJson = False,
) -> None:
    """Show everything about one job: attempts, timeline, what happens next."""
    dispatcher = connection.dispatcher(context)
    if is_alert(dispatcher.store, job):
        show_alert(dispatcher.store, job, json=json)
        return
    found = dispatcher.job(dispatcher.store.jobs.id_of_call(job) or job)
    if json:
        output.as_json(found.to_dict())
    else:
        output.details(found)


@by_filter
def list_(
    context: typer.Context,
    *,
    filter_: Filter,
    key: Annotated[
        str | None, typer.Option(help="Jobs with this idempotency key, of any producer.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    json: AsJson = False,
) -> None:
    """List jobs, newest first, with numbers masked."""
    store = connection.dispatcher(context).store
    if key is None:
        found = _listed(store, filter_, limit, cursor)
    else:
        jobs = store.jobs.find(key, ["", *store.api_keys.clients()])
        found = Page([job for job in jobs if filter_.matches(job)], None)
    if json:
        output.as_json([job.to_dict(mask=True) for job in found.jobs])
    else:
        output.show_table(output.job_table(found.jobs), "jobs")
    if found.cursor:
        typer.echo(f"there may be more: add --cursor {found.cursor}", err=True)


def _listed(store: Store, filter_: Filter, limit: int, cursor: str | None) -> Page:
    """Return as many jobs as are asked for, of however many pages."""
    found = store.search.page(filter_, limit, cursor)
    while found.cursor and len(found.jobs) < limit:
        more = store.search.page(filter_, limit - len(found.jobs), found.cursor)
        found = Page(found.jobs + more.jobs, more.cursor)
    return found


def stats(
    context: typer.Context,
    *,
    tag: Annotated[
        str | None, typer.Option(help="A tag campaign:NAME: show that campaign as well.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Show what is wrong, jobs by state, the rate and the credit."""
    from dispatcher.statistics import statistics  # noqa: PLC0415 - `list` and `show` need none

    name = None if tag is None else campaign_of_tag(tag)
    store = connection.dispatcher(context).store
    campaign = None if name is None else store.campaigns.get(name)
    found = mask_all(statistics(store))
    if campaign and not json:
        from dispatcher.cli.campaigns import print_campaign  # noqa: PLC0415 - seldom asked for

        print_campaign(campaign)
        output.lines([""])
    elif campaign:
        found |= {"campaign": campaign.to_dict(mask=True)}
    if json:
        output.as_json(found)
    else:
        _print_stats(found)


def _print_pace(out: Console, found: dict[str, Any]) -> None:
    ready, rate = found["ready"], found["rate"]
    if any(ready.values()):
        lines = found["lines"]
        parts = [f"{n} {priority} in {lines[priority]} lines" for priority, n in ready.items() if n]
        drain = f"; dialled in {spoken(found['drain'])} at this rate" if found["drain"] else ""
        out.print(f"Ready: {', '.join(parts)}{drain}")
    if rate["limit"] is None:
        out.print(f"No rate limit; {rate['connections']} requests under way")
        return
    period = rate["period"]
    limit, working = Rate(rate["limit"], period), Rate(rate["working"], period)
    slowed = "" if working == limit else f", now {working} after a 429"
    free = (
        f"next slot in {spoken(rate['next_slot_in'])}" if rate["next_slot_in"] else "a slot is free"
    )
    out.print(f"Rate {limit}{slowed}; {free}; {rate['connections']} requests under way")
    if rate["found"]:
        out.print(f"The provider was found to take {' and '.join(rate['found'])}, and no more")


def why(
    context: typer.Context,
    job: Annotated[str, typer.Argument(metavar="ID", help=_ID)],
    *,
    json: AsJson = False,
) -> None:
    """Say why a job has not been called yet, and what happens next."""
    store = connection.dispatcher(context).store
    if is_alert(store, job):
        explain_alert(store, job, json=json)
        return
    found = explain(store, store.jobs.get(store.jobs.id_of_call(job) or job))
    if json:
        output.as_json(found.to_dict())
    else:
        output.one_line(found.job)
        output.lines([found.because])


def _state_table(found: dict[str, Any]) -> Table:
    table = output.table("state", "jobs", "of these")
    table.columns[1].justify = "right"
    for state, number in found["jobs"].items():
        reasons = ", ".join(
            f"{n} {reason}" for reason, n in found["reasons"].get(state, {}).items() if n
        )
        table.add_row(
            state, str(number), reasons, style=output.STYLES.get(State(state)) if number else "dim"
        )
    return table


def _print_stats(found: dict[str, Any]) -> None:
    out = output.console()
    for each in found["problems"]:
        since = f" (since {each['since']})" if each["since"] else ""
        output.lines([f"{each['what']}{since}. {each['remedy']}"])
    out.print(_state_table(found))
    _print_pace(out, found)
    _print_counts(out, found)
    output.lines(found["credit_forecast"])


def _print_counts(out: Console, found: dict[str, Any]) -> None:
    running = [f"{n} {role.replace('_', ' ')}" for role, n in found["processes"].items() if n]
    out.print(f"Processes: {', '.join(running) or 'none runs'}")
    if found["second_calls"]:
        out.print(f"People called twice, found out too late: {found['second_calls']}")
    alerts = {state: n for state, n in found["alerts"]["now"].items() if n}
    if alerts:
        parts = [f"{n} {state.replace('_', ' ')}" for state, n in alerts.items()]
        out.print(f"Alerts: {', '.join(parts)}")
    if any(found["callbacks"].values()):
        parts = [f"{n} {what.replace('_', ' ')}" for what, n in found["callbacks"].items() if n]
        out.print(f"Callbacks: {', '.join(parts)}")
    if any(found["webhooks"].values()):
        waiting, dead = found["webhooks"]["waiting"], found["webhooks"]["dead"]
        out.print(f"Webhooks: {waiting} waiting, {dead} given up")
