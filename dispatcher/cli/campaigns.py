"""`campaign list`, `campaign show`: what became of the jobs that share a tag `campaign:NAME`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

import typer

from dispatcher.cli import completing, connection, moments, output
from dispatcher.cli.filters import Limit
from dispatcher.cli.lazy import group
from dispatcher.cli.output import AsJson
from dispatcher.cli.tables import Column, Table
from dispatcher.model.campaign import MINUTES, Calls, Campaign
from dispatcher.model.states import State
from dispatcher.policy.credit_forecast import in_credits, shown
from dispatcher.values.counts import counted
from dispatcher.values.masking import mask_text

app = group("List campaigns, and show what became of one.")


@app.command("list")
def list_(
    context: typer.Context,
    *,
    name: Annotated[
        str, typer.Option(help="Only those with this in their name, in capitals or not.")
    ] = "",
    limit: Limit = 50,
    json: AsJson = False,
) -> None:
    """List campaigns, newest first."""
    found = list(islice(connection.dispatcher(context).store.campaigns.all(name), limit))
    if json:
        output.as_json([campaign.to_dict(mask=True) for campaign in found])
        return
    table = Table(*_LISTED)
    for each in found:
        cells = each.jobs, each.waiting, each.in_progress, each.answered, each.not_answered
        others = each.jobs - sum(cells[1:])
        numbers = (f"{number:,}" for number in (*cells, others))
        name = mask_text(each.name)
        table.add(name, *numbers, shown(each.credits), moments.minute(each.first_at))
    table.show("campaigns")


_LISTED = (
    Column("campaign", least=16),
    *(Column(name, right=True) for name in ("jobs", "waiting", "in progress", "answered")),
    *(Column("no answer", right=True, rank=1), Column("other", right=True, rank=3)),
    *(Column("credits", right=True, rank=2), Column("first job", rank=4)),
)


@app.command("show")
def show(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            help="Its name, or its tag campaign:NAME.", autocompletion=completing.campaigns
        ),
    ],
    *,
    json: AsJson = False,
) -> None:
    """Show what became of a campaign so far: answers, failures, calls, credits, pace."""
    found = connection.dispatcher(context).campaign(name)
    if json:
        output.as_json(found.to_dict(mask=True))
    else:
        print_campaign(found)


def print_campaign(campaign: Campaign) -> None:
    """Print what became of a campaign."""
    hours = campaign.by_hour or {}
    output.lines(_heading(campaign))
    numbers = (Column(name, right=True) for name in ("jobs", "share"))
    table = Table("", *numbers, Column("of these", least=16))
    for what, number, of_these in _rows(campaign):
        share = f"{number / campaign.jobs:.1%}" if campaign.jobs else ""
        table.add(what, f"{number:,}", share if number else "", of_these)
    table.show()
    output.lines(_sentences(campaign))
    _print_calls("attempt", {str(n): each for n, each in campaign.by_attempt.items()})
    by_hour = {moments.minute(at): each for at, each in hours.items()}
    _print_calls("hour from", by_hour)


def _heading(campaign: Campaign) -> Iterator[str]:
    purged = f", {campaign.purged:,} of them purged" if campaign.purged else ""
    yield f"Campaign {mask_text(campaign.name)}: {counted(campaign.jobs, 'job')}{purged}"


def _rows(campaign: Campaign) -> Iterator[tuple[str, int, str]]:
    failed = {reason: many for reason, many in campaign.failed.items() if reason != "no_answer"}
    yield "waiting", campaign.waiting, _held(campaign)
    yield "in progress", campaign.in_progress, ""
    yield "answered", campaign.answered, ""
    yield "not answered", campaign.not_answered, ""
    yield "failed", sum(failed.values()), _reasons(failed)
    yield "expired", campaign.of(State.EXPIRED), ""
    yield "cancelled", campaign.of(State.CANCELLED), ""
    if campaign.marked_reached:
        yield "marked as reached", campaign.marked_reached, ""


def _held(campaign: Campaign) -> str:
    return f"held: {_reasons(campaign.held)}" if campaign.held else ""


def _reasons(counts: dict[str, int]) -> str:
    return ", ".join(f"{many:,} {reason}" for reason, many in sorted(counts.items()))


def _sentences(campaign: Campaign) -> Iterator[str]:
    talked = f"{campaign.talked:,.10g} s"
    attempts = counted(campaign.attempts, "attempt")
    yield f"{attempts}, {talked} talked, {in_credits(campaign.credits)}"
    known = {"First job": campaign.first_at, "first call": campaign.dialled_at}
    known["latest end"] = campaign.ended_at
    yield ", ".join(f"{what} {moments.stamp(at)}" for what, at in known.items() if at)
    if campaign.expected_end:
        pace = f"{campaign.pace:g} jobs a minute ended in the last {MINUTES} minutes"
        yield f"{pace}: at this pace all will have ended by {moments.stamp(campaign.expected_end)}"
    elif campaign.waiting or campaign.in_progress:
        yield f"No job ended in the last {MINUTES} minutes"


def _print_calls(what: str, calls: dict[str, Calls]) -> None:
    if not calls:
        return
    numbers = (Column(name, right=True) for name in ("dialled", "answered", "share"))
    table = Table(what, *numbers)
    for name, each in calls.items():
        share = f"{each.answered / each.dialled:.1%}" if each.dialled else ""
        table.add(name, f"{each.dialled:,}", f"{each.answered:,}", share)
    output.line("")
    table.show()
