"""`chains drill`: rings a chain, to see that it rings."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from dispatcher.alerts.drills import Drills, outcome
from dispatcher.alerts.story import story
from dispatcher.cli import completing, connection, output
from dispatcher.cli.output import AsJson
from dispatcher.cli.person import Note, actor
from dispatcher.cli.status import Status
from dispatcher.cli.waiting import Reasons
from dispatcher.model.alert import Alert
from dispatcher.store import Store
from dispatcher.values.masking import mask_text

LOOK_EVERY = 0.5
"""Seconds between two looks at what became of it."""


def drill(
    context: typer.Context,
    chain: Annotated[
        str, typer.Argument(help="The name of a chain.", autocompletion=completing.chains)
    ],
    *,
    note: Note = "",
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for the outcome; exit 1 if nobody has it.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Ring a chain now, as a drill: the call says that it is one."""
    store = connection.dispatcher(context).store
    alert = Drills(store).ring(chain, actor=actor(), note=note)
    if not (wait or json):
        output.lines([f"{alert.id}  the chain {chain} rings: `alerts show {alert.id}` tells who"])
    if wait:
        alert = _ended(store, alert)
    _tell(alert, told=wait, json=json)


def _ended(store: Store, alert: Alert) -> Alert:
    """Return the alert when its outcome is known."""
    with Status() as status:
        reasons = Reasons(status)
        while outcome(alert) is None:
            because = mask_text(story(store, alert.id).because)
            reasons.tell(f"{alert.state}: {because}", str(alert.state), because)
            time.sleep(LOOK_EVERY)
            alert = store.alerts.get(alert.id)
    return alert


def _tell(alert: Alert, *, told: bool, json: bool) -> None:
    found = outcome(alert)
    result, why = found or ("", "")
    if json:
        shown = {"id": alert.id, "chain": alert.chain, "state": alert.state}
        output.as_json(shown | ({"outcome": result, "why": why} if found else {}))
    elif told:
        output.lines([f"{alert.id}  {result}: {why}"])
    if result == "failed":
        raise typer.Exit(1)
