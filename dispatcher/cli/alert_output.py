"""How the command line prints an alert, and a summary of alerts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dispatcher.alerts.summary import NO_CHAIN, AlertSummary, ChainSummary, Times
from dispatcher.cli import moments, output
from dispatcher.cli.tables import Column, Table
from dispatcher.model.alert import AlertState
from dispatcher.model.alert_view import view
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
    state = f"{alert.state}: {mask_text(found.because)}"
    output.lines([f"{alert.id}  {state}"], indent=2)
    facts = Table("", Column("", least=24), header=False)
    for name, value in view(alert, whole=False).items():
        if name not in _APART and value not in (None, "", [], {}, 0):
            facts.add(name.removesuffix("_at").replace("_", " "), _in_words(name, value))
    facts.show()
    if found.calls:
        output.line("calls")
        _show_calls(found)
    if found.members:
        output.lines([counted(alert.members, "alert") + " in it", *_members(found)])
    output.line("timeline")
    lines = Table("", "", Column("", least=24), header=False)
    for each in alert.timeline:
        lines.add(f"  {moments.stamp(each.at)}", mask_text(each.by), mask_text(each.what))
    lines.show()


def _in_words(name: str, value: object) -> str:
    if name.endswith("_at"):
        return moments.stamp_and_ago(str(value))
    if isinstance(value, dict):
        return ", ".join(f"{name}={each}" for name, each in value.items())
    return str(value)


def _show_calls(found: Story) -> None:
    calls = Table("", "", Column("", least=24), "", header=False)
    for each in found.calls:
        told = each.to_dict()
        whom = " ".join(filter(None, (mask_text(each.call.contact), told["recipient"])))
        job = f"job {each.call.job_id}" if each.call.job_id else ""
        calls.add(f"  {moments.stamp(each.call.at)}", whom, mask_text(each.became), job)
    calls.show()


def _members(found: Story) -> Iterator[str]:
    for each in found.members:
        yield f"  {each.id}  {each.state}  {each.severity}  {mask_text(each.summary)}"
    hidden = found.alert.members - len(found.members)
    if hidden > 0:
        yield f"  and {hidden} more"


def print_summary(found: AlertSummary) -> None:
    """Print what alerts came to."""
    output.lines(_whole(found))
    chains = Table("chain", *(Column(name, right=True, rank=n) for name, n in _OF_CHAINS.items()))
    for name, each in found.chains.items():
        shown = mask_text(name) if name != NO_CHAIN else "(nobody is called)"
        chains.add(shown, *_cells(each))
    chains.show("alerts")
    if found.people:
        people = Table("called", Column("calls", right=True), Column("at night", right=True))
        for name, called in found.people.items():
            people.add(mask_text(name), str(called.calls), str(called.at_night))
        output.line("")
        people.show()


_OF_CHAINS = {
    "alerts": 0,
    "calls": 0,
    "to first ring": 1,
    "to acknowledge": 2,
    "95 of 100": 3,
    "unreached": 0,
}
"""What is said of a chain, and what is left out first where there is no room."""


def _whole(found: AlertSummary) -> Iterator[str]:
    alerts = counted(found.whole.alerts, "alert")
    yield f"{alerts} from {moments.stamp(found.since)} to {moments.stamp(found.until)}"
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
