"""`keys create`, `keys list`, `keys revoke`: who is let in over HTTP, and to what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from dispatcher.cli import connection, output
from dispatcher.cli.lazy import group
from dispatcher.cli.output import AsJson
from dispatcher.cli.person import MissingOption, Note, actor
from dispatcher.model.api_key import ApiKey, Quota, Scope, client_name
from dispatcher.model.job import iso
from dispatcher.store.spending import SpendingLimit, limit_amount
from dispatcher.values.durations import InvalidMoment, moment

app = group("Create, list and revoke API keys.")

COLUMNS = ("id", "name", "scopes", "state", "rate", "spend", "expires_at", "used_at", "note")


@app.command("create")
def create(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the client: the producer of its jobs.")
    ],
    *,
    scopes: Annotated[
        list[Scope] | None,
        typer.Option(
            "--scope",
            help="What the key may do: enqueue, read or operate (required, may be repeated).",
        ),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(help="Most requests, or new jobs in bulk requests: 50/minute, 1000/day."),
    ] = None,
    spend: Annotated[
        str | None,
        typer.Option(
            help="Spending limit of the client, for all its keys: 500/day or 10000/total."
        ),
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="When the key expires: 90d, or ISO 8601 with zone.")
    ] = None,
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
    json: AsJson = False,
) -> None:
    """Create a key and print it. It is shown only once: only its hash is kept.

    Several keys may have the same name, so that a new one can replace an old one.
    """
    if not scopes:
        raise MissingOption("--scope", f"choose one or more of {', '.join(Scope)}")
    quota = None if rate is None else Quota.parse(rate)
    limit = (
        None
        if spend is None
        else SpendingLimit(f"client:{client_name(name)}", *limit_amount(spend))
    )
    store = connection.dispatcher(context).store
    keys = store.api_keys
    made, text = keys.create(
        name, scopes, quota=quota, expires_at=_end(expires), note=note, actor=actor()
    )
    if limit:
        store.spending.set(limit, actor=actor(), note=note)
    if json:
        output.as_json({**_row(made, "live", spend), "key": text})
        return
    typer.echo(text)
    typer.echo(f"key {made.id} of {made.name}: store it now, it is not shown again", err=True)


@app.command("list")
def list_(context: typer.Context, *, json: AsJson = False) -> None:
    """List the keys, the newest first, without their secrets."""
    store = connection.dispatcher(context).store
    spending = {limit.scope: _amount(limit) for limit in store.spending.limits()}
    now = datetime.fromtimestamp(store.now() / 1000, UTC)
    rows = [
        _row(key, _state(key, now), spending.get(f"client:{key.name}"))
        for key in store.api_keys.all()
    ]
    if json:
        output.as_json(rows)
    else:
        output.show_table(_table(rows), "keys")


@app.command("revoke")
def revoke(
    context: typer.Context,
    id_: Annotated[
        str, typer.Argument(metavar="ID", help="The key's id, as `keys list` shows it.")
    ],
    *,
    note: Note = "",
    json: AsJson = False,
) -> None:
    """Revoke a key, at once and for good."""
    keys = connection.dispatcher(context).store.api_keys
    changed = keys.revoke(id_, actor=actor(), note=note)
    if json:
        output.as_json({"id": id_, "revoked": True, "changed": changed})
    else:
        output.console().print(f"{id_}: {'revoked' if changed else 'was already revoked'}")


def _end(text: str | None) -> datetime | None:
    """Return when a key ends. Raises InvalidMoment."""
    if text is None:
        return None
    value = moment(text)
    try:
        return datetime.now(UTC) + value if isinstance(value, timedelta) else value
    except OverflowError:
        raise InvalidMoment(f"{text} from now is too far ahead") from None


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked_at:
        return "revoked"
    return "live" if key.live(now) else "expired"


def _amount(limit: SpendingLimit) -> str:
    return f"{limit.amount.normalize():f}/{limit.period}"


def _row(key: ApiKey, state: str, spend: str | None) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "state": state,
        "rate": str(key.quota) if key.quota else None,
        "spend": spend,
        "created_at": iso(key.created_at),
        "expires_at": iso(key.expires_at),
        "revoked_at": iso(key.revoked_at),
        "used_at": iso(key.used_at),
        "note": key.note,
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    headers = (name.removesuffix("_at") for name in COLUMNS)
    table = output.table(*headers, whole=("id", "name"))
    for row in rows:
        shown = {**row, "scopes": " ".join(row["scopes"])}
        output.row(table, *(shown[name] or "" for name in COLUMNS))
    return table
