"""`keys create`, `list`, `show`, `revoke`: who is let in over HTTP, and to what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from dispatcher.cli import connection, key_options, moments, output
from dispatcher.cli.lazy import group
from dispatcher.cli.output import AsJson
from dispatcher.cli.person import MissingOption, Note, actor
from dispatcher.cli.tables import Column, Table
from dispatcher.model import rights_in_words
from dispatcher.model.api_key import ApiKey, Scope, client_name
from dispatcher.model.job import iso
from dispatcher.security_log import SecurityEvent, tell
from dispatcher.store import Store
from dispatcher.store.spending import SpendingLimit
from dispatcher.store.values import Room
from dispatcher.values.durations import InvalidMoment, moment

app = group("Create, list and revoke API keys.")

COLUMNS = {
    "id": Column("id"),
    "name": Column("name", least=12),
    "scopes": Column("scopes", least=14),
    "state": Column("state"),
    "used_at": Column("used", rank=1),
    "rights": Column("rights", least=16, rank=2),
    "note": Column("note", least=12, rank=3),
    "rate": Column("rate", rank=5),
    "waiting": Column("waiting", rank=7),
    "spend": Column("spend", rank=6),
    "expires_at": Column("expires", rank=4),
}
Id = Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `keys list` shows it.")]
NOTHING = Room(0, 0)


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
            help="What the key may do: enqueue, read, operate, alert (required, may be repeated).",
        ),
    ] = None,
    countries: key_options.Countries = None,
    number_types: key_options.NumberTypes = None,
    callers: key_options.Callers = None,
    priorities: key_options.Priorities = None,
    redials: key_options.Redials = key_options.SAFE.redials,
    hours: key_options.Hours = False,
    webhooks: key_options.Webhooks = False,
    params: key_options.Params = False,
    dnc_exempt: key_options.DncExempt = False,
    rate: key_options.Rate = None,
    waiting: key_options.Waiting = None,
    spend: key_options.Spend = None,
    expires: Annotated[
        str | None, typer.Option(help="When the key expires: 90d, or ISO 8601 with zone.")
    ] = None,
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
    json: AsJson = False,
) -> None:
    """Create a key and print it. It is shown only once: only its hash is kept.

    What a key may ask for is safe unless you give it more: see docs/reference/http.md.

    Several keys may have the same name, so that a new one can replace an old one.

    \b
    Examples:
      voice-dispatcher keys create billing --scope enqueue --countries JP
      voice-dispatcher keys create ann --scope operate --expires 90d
    """
    if not scopes:
        raise MissingOption("--scope", f"choose one or more of {', '.join(Scope)}")
    rights = key_options.rights(
        countries,
        number_types,
        callers,
        priorities,
        redials,
        hours,
        webhooks,
        params,
        dnc_exempt,
    )
    enqueues = Scope.ENQUEUE in scopes
    quota = key_options.quota(rate, enqueues=enqueues)
    store = connection.dispatcher(context).store
    limit = key_options.spending(spend, client_name(name), store.spending, enqueues=enqueues)
    made, text = store.api_keys.create(
        name,
        scopes,
        rights=rights,
        quota=quota,
        waiting=waiting,
        expires_at=_end(expires),
        note=note,
        actor=actor(),
    )
    if limit:
        store.spending.set(limit, actor=actor(), note=note)
    facts = {"key": made.id, "name": made.name, "scopes": ",".join(sorted(scopes))}
    tell(SecurityEvent.KEY_CREATED, actor=actor(), **facts)
    if json:
        row = _row(made, "live", _spending(store).get(made.name), _waiting(store, made.name))
        output.as_json({**row, "key": text})
        return
    typer.echo(text)
    typer.echo(f"key {made.id} of {made.name}: store it now, it is not shown again", err=True)


@app.command("list")
def list_(context: typer.Context, *, json: AsJson = False) -> None:
    """List the keys, the newest first, without their secrets."""
    store = connection.dispatcher(context).store
    spending = _spending(store)
    waiting = store.clients.waiting()
    now = store.moment()
    rows = [
        _row(key, _state(key, now), spending.get(key.name), waiting.get(key.name, NOTHING))
        for key in store.api_keys.all()
    ]
    if json:
        output.as_json(rows)
    else:
        _table(rows).show("keys")


@app.command("show")
def show(context: typer.Context, id_: Id, *, json: AsJson = False) -> None:
    """Show a key and what it may ask for, without its secret."""
    store = connection.dispatcher(context).store
    key, now = store.api_keys.get(id_), store.moment()
    state, spend = _state(key, now), _spending(store).get(key.name)
    row = _row(key, state, spend, _waiting(store, key.name))
    if json:
        output.as_json(row)
        return
    for name, value in {**_shown(row), **(row["rights"] or {})}.items():
        if name != "rights":
            words = rights_in_words.right(name, value)
            output.lines([words], before=f"{name.removesuffix('_at'):<13}", indent=13)


@app.command("revoke")
def revoke(
    context: typer.Context,
    id_: Id,
    *,
    note: Note = "",
    json: AsJson = False,
) -> None:
    """Revoke a key, at once and for good."""
    keys = connection.dispatcher(context).store.api_keys
    changed = keys.revoke(id_, actor=actor(), note=note)
    if changed:
        tell(SecurityEvent.KEY_REVOKED, actor=actor(), key=id_)
    if json:
        output.as_json({"id": id_, "revoked": True, "changed": changed})
    else:
        output.line(f"{id_}: {'revoked' if changed else 'was already revoked'}")


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


def _spending(store: Store) -> dict[str, str]:
    """Return the spending limits of clients, by their names."""
    return {
        limit.scope.removeprefix("client:"): _amount(limit)
        for limit in store.spending.limits()
        if limit.scope.startswith("client:")
    }


def _amount(limit: SpendingLimit) -> str:
    return f"{limit.amount.normalize():f}/{limit.period}"


def _waiting(store: Store, client: str) -> Room:
    return store.clients.waiting().get(client, NOTHING)


def _row(key: ApiKey, state: str, spend: str | None, waiting: Room) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "state": state,
        "rate": str(key.quota) if key.quota else None,
        "waiting": {"jobs": waiting.jobs, "bytes": waiting.bytes, "most": key.waiting},
        "spend": spend,
        "rights": key.rights.to_json() if Scope.ENQUEUE in key.scopes else None,
        "created_at": iso(key.created_at),
        "expires_at": iso(key.expires_at),
        "revoked_at": iso(key.revoked_at),
        "used_at": iso(key.used_at),
        "note": key.note,
    }


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as people read it."""
    waits = row["waiting"]
    most = f" of {waits['most']}" if waits["most"] else ""
    at = {name: moments.minute(value) for name, value in row.items() if name.endswith("_at")}
    return {**row, **at, "scopes": " ".join(row["scopes"]), "waiting": f"{waits['jobs']}{most}"}


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(*COLUMNS.values())
    for row in rows:
        shown = {**_shown(row), "rights": rights_in_words.beyond_safe(row["rights"] or {})}
        table.add(*(shown[name] or "" for name in COLUMNS))
    return table
