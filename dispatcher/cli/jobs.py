"""`show`, `list`, `stats`, `why`: what became of it, and how things stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from dispatcher.cli import connection, moments, output
from dispatcher.cli.filters import Cursor, Limit, by_filter
from dispatcher.cli.job_output import STYLES, details, job_table, one_line
from dispatcher.cli.one_alert import explain_alert, is_alert, show_alert
from dispatcher.cli.output import AsJson
from dispatcher.cli.status import Status
from dispatcher.cli.tables import Column, Table
from dispatcher.model.campaign import campaign_of_tag
from dispatcher.model.filters import Filter
from dispatcher.model.process import Role
from dispatcher.model.states import State
from dispatcher.store import Store
from dispatcher.store.search import Page
from dispatcher.values.counts import counted
from dispatcher.values.durations import spoken
from dispatcher.values.masking import mask_all
from dispatcher.values.rate import Rate
from dispatcher.why import why as explain

LONG = 1000
"""Jobs from which on a list may take more than a moment."""
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
        details(found)


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
    """List jobs, newest first, with numbers masked.

    \b
    Examples:
      voice-dispatcher list --state failed --since 2h
      voice-dispatcher list --tag campaign:spring --reason no_answer --limit 500
      voice-dispatcher list --recipient 4567 --json
    """
    store = connection.dispatcher(context).store
    if key is None:
        with Status("looking for jobs …" if limit > LONG else ""):
            found = _listed(store, filter_, limit, cursor)
    else:
        jobs = store.jobs.find(key, ["", *store.api_keys.clients()])
        found = Page([job for job in jobs if filter_.matches(job)], None)
    if json:
        output.as_json([job.to_dict(mask=True) for job in found.jobs])
    else:
        job_table(found.jobs).show("jobs")
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
        output.line("")
    elif campaign:
        found |= {"campaign": campaign.to_dict(mask=True)}
    if json:
        output.as_json(found)
    else:
        _print_stats(found)


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
        one_line(found.job)
        output.line(found.because)


def _state_table(found: dict[str, Any]) -> Table:
    table = Table("state", Column("jobs", right=True), Column("of these", least=20))
    for state, number in found["jobs"].items():
        reasons = ", ".join(
            f"{n:,} {reason}" for reason, n in found["reasons"].get(state, {}).items() if n
        )
        style = STYLES.get(State(state), "") if number else "dim"
        table.add((state, style), (f"{number:,}", style), (reasons, style))
    return table


def _print_stats(found: dict[str, Any]) -> None:
    output.lines(_problems(found))
    _state_table(found).show()
    output.lines([*_pace(found), *_counts(found), *found["credit_forecast"]])


def _problems(found: dict[str, Any]) -> Iterator[str]:
    for each in found["problems"]:
        at = each["since"]
        since = f" (since {moments.stamp(at)}, {moments.ago(at)})" if at else ""
        yield f"{each['what']}{since}. {each['remedy']}"


def _pace(found: dict[str, Any]) -> Iterator[str]:
    ready, rate = found["ready"], found["rate"]
    if any(ready.values()):
        lines = found["lines"]
        parts = [
            f"{n:,} {priority} in {counted(lines[priority], 'line')}"
            for priority, n in ready.items()
            if n
        ]
        drain = f"; dialled in {spoken(found['drain'])} at this rate" if found["drain"] else ""
        yield f"Ready: {', '.join(parts)}{drain}"
    if rate["limit"] is None:
        yield f"No rate limit; {counted(rate['connections'], 'request')} under way"
        return
    period = rate["period"]
    limit, working = Rate(rate["limit"], period), Rate(rate["working"], period)
    slowed = "" if working == limit else f", now {working} after a 429"
    free = (
        f"next slot in {spoken(rate['next_slot_in'])}" if rate["next_slot_in"] else "a slot is free"
    )
    yield f"Rate {limit}{slowed}; {free}; {counted(rate['connections'], 'request')} under way"
    if rate["found"]:
        yield f"The provider was found to take {' and '.join(rate['found'])}, and no more"


def _counts(found: dict[str, Any]) -> Iterator[str]:
    running = [counted(n, Role(role).words) for role, n in found["processes"].items() if n]
    yield f"Processes: {', '.join(running) or 'none runs'}"
    if found["second_calls"]:
        yield f"People called twice, found out too late: {found['second_calls']}"
    alerts = {state: n for state, n in found["alerts"]["now"].items() if n}
    if alerts:
        parts = [f"{n} {state.replace('_', ' ')}" for state, n in alerts.items()]
        yield f"Alerts: {', '.join(parts)}"
    if any(found["callbacks"].values()):
        parts = [f"{n} {what.replace('_', ' ')}" for what, n in found["callbacks"].items() if n]
        yield f"Callbacks: {', '.join(parts)}"
    if any(found["webhooks"].values()):
        waiting, dead = found["webhooks"]["waiting"], found["webhooks"]["dead"]
        yield f"Webhooks: {waiting} waiting, {dead} given up"
