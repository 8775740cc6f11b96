"""How the command line prints an alert, and a summary of alerts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.table import Table

from dispatcher.alerts.summary import NO_CHAIN, AlertSummary, ChainSummary, Times
from dispatcher.cli import output
from dispatcher.model.alert import AlertState
from dispatcher.model.alert_view import view
from dispatcher.model.job import iso
from dispatcher.values.counts import counted
from dispatcher.values.durations import spoken
from dispatcher.values.masking import mask_text

if TYPE_CHECKING:
    from dispatcher.alerts.story import Story

STYLES = {
    AlertState.RINGING: "yellow",
    AlertState.UNREACHED: "red",
    AlertState.ACKNOWLEDGED: "green",
    AlertState.RESOLVED: "dim",
    AlertState.CANCELLED: "dim",
}
_APART = frozenset({"id", "state", "reason", "calls", "timeline", "round", "step"})


def details(found: Story) -> None:
    """Print an alert with its calls, its members and its timeline."""
    alert = found.alert
    output.lines([f"{alert.id}  {alert.state}: {mask_text(found.because)}"])
    facts = Table(box=None, show_header=False, pad_edge=False)
    for name, value in view(alert, whole=False).items():
        if name not in _APART and value not in (None, "", [], {}, 0):
            facts.add_row(name, output.visible(_in_words(value)))
    output.show_table(facts)
    if found.calls:
        output.lines(["calls", *_calls(found)])
    if found.members:
        output.lines([counted(alert.members, "alert") + " in it", *_members(found)])
    lines = (f"  {iso(e.at)}  {mask_text(e.by):<12} {mask_text(e.what)}" for e in alert.timeline)
    output.lines(["timeline", *lines])


def _in_words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={each}" for name, each in value.items())
    return str(value)


def _calls(found: Story) -> Iterator[str]:
    for each in found.calls:
        told = each.to_dict()
        whom = " ".join(filter(None, (mask_text(each.call.contact), told["recipient"])))
        job = f"  job {each.call.job_id}" if each.call.job_id else ""
        yield f"  {iso(each.call.at)}  {whom}: {mask_text(each.became)}{job}"


def _members(found: Story) -> Iterator[str]:
    for each in found.members:
        yield f"  {each.id}  {each.state}  {each.severity}  {mask_text(each.summary)}"
    hidden = found.alert.members - len(found.members)
    if hidden > 0:
        yield f"  and {hidden} more"


def print_summary(found: AlertSummary) -> None:
    """Print what alerts came to."""
    output.lines(_whole(found))
    chains = output.table(
        "chain", "alerts", "calls", "to first ring", "to acknowledge", "95 of 100", "unreached"
    )
    for name, each in found.chains.items():
        shown = mask_text(name) if name != NO_CHAIN else "(nobody is called)"
        output.row(chains, shown, *_cells(each))
    output.show_table(chains, "alerts")
    if found.people:
        people = output.table("called", "calls", "at night")
        for name, called in found.people.items():
            output.row(people, mask_text(name), str(called.calls), str(called.at_night))
        output.lines([""])
        output.show_table(people)


def _whole(found: AlertSummary) -> Iterator[str]:
    yield f"{counted(found.whole.alerts, 'alert')} from {iso(found.since)} to {iso(found.until)}"
    states = ", ".join(f"{many} {state}" for state, many in sorted(found.whole.by_state.items()))
    if states:
        yield states.replace("_", " ")
    for reason, many in found.whole.unreached.items():
        yield f"Unreached: {many}, {reason.replace('_', ' ')}"


def _cells(of: ChainSummary) -> Iterator[str]:
    yield f"{of.alerts:,}"
    yield f"{of.calls:,}"
    yield _took(of.to_ring.median, of.to_ring)
    yield _took(of.to_acknowledge.median, of.to_acknowledge)
    yield _took(of.to_acknowledge.most, of.to_acknowledge)
    yield f"{sum(of.unreached.values()):,}"


def _took(seconds: float | None, times: Times) -> str:
    return spoken(seconds) if seconds is not None and times.many else ""
