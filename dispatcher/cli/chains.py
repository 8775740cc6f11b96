"""`chains`: check, publish, show and try who is called for an alert."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from dispatcher.alerts.chain_words import ends, leads, numbered
from dispatcher.alerts.chains_file import load
from dispatcher.alerts.chains_gaps import MOST, gaps
from dispatcher.alerts.chains_state import in_force
from dispatcher.alerts.chains_warnings import uncallable, warnings
from dispatcher.cli import completing, connection, moments, output
from dispatcher.cli.drill import drill
from dispatcher.cli.lazy import group
from dispatcher.cli.output import AsJson
from dispatcher.cli.person import actor
from dispatcher.cli.tables import Column, Table
from dispatcher.errors import DispatcherError
from dispatcher.model.job import iso
from dispatcher.model.on_call import Chain, OnCall
from dispatcher.store.on_call import Published
from dispatcher.values.counts import counted
from dispatcher.values.masking import mask_number

app = group("Check, publish, show and try who is called for an alert.")
app.command("drill")(drill)
File = Annotated[Path, typer.Argument(help="The chains file.", show_default=False)]


class NothingPublished(DispatcherError):
    """Nobody ever said who is on call."""

    def __init__(self) -> None:
        super().__init__(
            "nobody said yet who is on call: set DISPATCHER_CHAINS to a chains file"
            " (docs/how-to/chains.md), or use `chains publish FILE`"
        )


@app.command("check")
def check(context: typer.Context, file: File, *, json: AsJson = False) -> None:
    """Check a chains file, and who in it could not be called now. Exit 2 if it is wrong."""
    on_call = load(file)
    said = [*warnings(on_call), *islice(gaps(on_call, datetime.now(UTC)), MOST)]
    try:
        said += uncallable(on_call, connection.dispatcher(context).store)
    except DispatcherError as error:
        typer.echo(f"who may be called was not looked up: {error}", err=True)
    if json:
        output.as_json({"ok": True, "warnings": said, **_counts(on_call)})
        return
    typer.echo(f"{file} is right: {_counted(on_call)}")
    for warning in said:
        typer.echo(f"warning: {warning}")


@app.command("publish")
def publish(context: typer.Context, file: File, *, json: AsJson = False) -> None:
    """Check a chains file and put it in force, where no DISPATCHER_CHAINS does."""
    on_call = load(file)
    store = connection.dispatcher(context).store
    store.chains_files.require_none()
    version = store.on_call.publish(on_call, by=actor())
    if json:
        output.as_json({"version": version})
    else:
        typer.echo(f"version {version} is in force: {_counted(on_call)}")


@app.command("list")
def list_(context: typer.Context, *, json: AsJson = False) -> None:
    """List the chains that are in force, and which alerts lead to them."""
    found = published(context)
    on_call = found.on_call
    if json:
        shown = on_call.model_dump(mode="json", exclude={"contacts": {"__all__": {"numbers"}}})
        files = connection.dispatcher(context).store.chains_files.watched()
        output.as_json({**in_force(found, files, unmask=False), **shown})
        return
    at = moments.stamp_and_ago(found.at)
    output.line(f"version {found.version}, published by {found.by} on {at}")
    if found.refused:
        typer.echo(f"the file that came since is refused:\n{found.refused}")
    numbers = (Column(name, right=True) for name in ("steps", "times in all"))
    table = Table("chain", *numbers, Column("alerts", least=24))
    for name, chain in on_call.chains.items():
        table.add(name, str(len(chain.steps)), str(chain.repeat), leads(on_call, name))
    table.show("chains")


@app.command("show")
def show(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help="The name of a chain.", autocompletion=completing.chains)
    ],
    *,
    json: AsJson = False,
) -> None:
    """Show who a chain calls, step by step."""
    on_call = published(context).on_call
    chain = on_call.chains.get(name)
    if chain is None:
        known = ", ".join(on_call.chains) or "none"
        raise DispatcherError(f"there is no chain {name[:40]!r}: there is {known}")
    if json:
        output.as_json({"name": name, **chain.model_dump(mode="json")})
        return
    output.lines([*numbered(chain), ends(chain), "", *_people(on_call, chain)])


@app.command("versions")
def versions(context: typer.Context, *, json: AsJson = False) -> None:
    """List who published who is on call, and when: the last 20 versions."""
    found = connection.dispatcher(context).store.on_call.versions()
    if json:
        told = [{"version": each.version, "at": iso(each.at), "by": each.by} for each in found]
        output.as_json(told)
        return
    table = Table(Column("version", right=True), "published", "by")
    for each in found:
        table.add(str(each.version), moments.minute(each.at), each.by)
    table.show("versions")


def published(context: typer.Context) -> Published:
    """Return what is in force. Raises NothingPublished."""
    found = connection.dispatcher(context).store.on_call.get()
    if found is None:
        raise NothingPublished
    return found


def _counts(on_call: OnCall) -> dict[str, int]:
    names = ("contacts", "teams", "rotas", "chains", "routes", "drills")
    return {name: len(getattr(on_call, name)) for name in names}


def _counted(on_call: OnCall) -> str:
    found = (counted(many, kind[:-1]) for kind, many in _counts(on_call).items() if many)
    return ", ".join(found) or "it is empty"


def _people(on_call: OnCall, chain: Chain) -> list[str]:
    found = []
    for name in dict.fromkeys(chain.names):
        if contact := on_call.contacts.get(name):
            found.append(f"{name}: {', '.join(map(mask_number, contact.numbers))}")
        elif team := on_call.teams.get(name):
            found.append(f"{name}: the team of {', '.join(team)}")
        elif rota := on_call.rotas.get(name):
            found.append(f"{name}: the rota of {', '.join(rota.members)} (`rota show {name}`)")
    return found
