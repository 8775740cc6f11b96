"""`restored`: after Redis was restored from a backup, a person decides when calls go on."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

from dispatcher.cli import connection, moments, output
from dispatcher.cli.output import AsJson
from dispatcher.cli.person import actor
from dispatcher.model.job import iso_of
from dispatcher.store.aftermath import Aftermath
from dispatcher.values.counts import counted
from dispatcher.values.durations import spoken


def restored(
    context: typer.Context,
    *,
    go: Annotated[bool, typer.Option("--go", help="Let calls go on.")] = False,
    note: Annotated[str, typer.Option(help="Why, for the audit log.")] = "",
    json: AsJson = False,
) -> None:
    """Hold all calls after a restore, and show who may have been called since the backup.

    Run it before the first worker starts on the restored records, and with --go when you have
    decided. `resume` does not end this hold.
    """
    aftermath = connection.dispatcher(context).store.aftermath
    if go:
        changed = aftermath.go(actor=actor(), note=note)
        said = ["calls go on" if changed else "calls were not held for a restore"]
        found: dict[str, Any] = {"calls": "go on", "changed": changed}
    else:
        changed = aftermath.hold(actor=actor(), note=note)
        seen = aftermath.look()
        if not changed:  # workers may run by now, and write moments of their own
            seen = replace(seen, latest=None)
        said, found = _lines(seen), {"calls": "held", "changed": changed, **_facts(seen)}
    if json:
        output.as_json(found)
    else:
        output.lines(said)


def _facts(seen: Aftermath) -> dict[str, Any]:
    latest = None if seen.latest is None else iso_of(seen.latest)
    return {**asdict(seen), "now": iso_of(seen.now), "latest": latest}


def _lines(seen: Aftermath) -> list[str]:
    waits = counted(seen.ready, "job")
    return [
        f"All calls are held.{_age(seen)}",
        f"{waits}: would be dialled at once, and may have been called since",
        f"{counted(seen.later, 'job')}: scheduled for later",
        f"{counted(seen.held, 'job')}: held",
        f"{counted(seen.calling, 'job')}: a call was under way; the provider is asked about it",
        "Cancel what was called since, or is too late, such as with",
        "  voice-dispatcher cancel --state queued --state held --tag TAG",
        "Then: voice-dispatcher restored --go",
    ]


def _age(seen: Aftermath) -> str:
    if seen.latest is None:
        return ""
    ago = max(0.0, seen.now - seen.latest) / 1000
    return f" The records end at {moments.stamp(seen.latest)}, {spoken(ago)} ago."
