"""`show`, `list`, `stats`: what became of it, and how things stand."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

import typer
from rich.table import Table

from dispatcher.cli import connection, output
from dispatcher.cli.filters import Limit, Reason, Recipient, Since, States, Tag, Until, meant
from dispatcher.cli.output import AsJson
from dispatcher.client import Dispatcher
from dispatcher.job import iso_of
from dispatcher.redis_url import plain_errors
from dispatcher.states import State
from dispatcher.store.listing import counts, find


def show(
    context: typer.Context,
    job: Annotated[str, typer.Argument(metavar="ID", help="A job's id, or a call's.")],
    *,
    json: AsJson = False,
) -> None:
    """Show one job, whole: attempts, timeline, what happens next."""
    dispatcher = connection.dispatcher(context)
    found = dispatcher.job(dispatcher.store.job_of_call(job) or job)
    if json:
        output.as_json(found.to_dict())
    else:
        output.details(found)


def list_(
    context: typer.Context,
    *,
    states: States = None,
    reason: Reason = None,
    tag: Tag = None,
    recipient: Recipient = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    json: AsJson = False,
) -> None:
    """List jobs, newest first, with numbers masked."""
    wanted = meant(
        states=states, reason=reason, tag=tag, recipient=recipient, since=since, until=until
    )
    jobs = list(islice(find(connection.dispatcher(context).store, wanted), limit))
    if json:
        output.as_json([job.to_dict(mask=True) for job in jobs])
    else:
        output.console().print(output.job_table(jobs))


def stats(context: typer.Context, *, json: AsJson = False) -> None:
    """Count jobs by state, and say what stops them."""
    found = statistics(connection.dispatcher(context))
    if json:
        output.as_json(found)
    else:
        _print_stats(found)


def statistics(dispatcher: Dispatcher) -> dict[str, Any]:
    """Return what `stats` tells, as JSON knows it."""
    store = dispatcher.store
    by_state = counts(store)
    with plain_errors():
        limits: Any = store.redis.hgetall(store.key("limits"))
        fed: Any = store.redis.zcard(store.key("fed"))
    published = {name.decode(): value.decode() for name, value in limits.items()}
    return {
        "jobs": {state: sum(reasons.values()) for state, reasons in by_state.items()},
        "reasons": {
            state: r for state, rs in by_state.items() if (r := {k: n for k, n in rs.items() if k})
        },
        "fed": fed,
        "gates": [
            {
                "gate": gate.name,
                "since": iso_of(gate.since),
                "why": gate.why,
                "required": gate.required,
            }
            for gate in store.gates()
        ],
        "balance": float(published["balance"]) if "balance" in published else None,
        "balance_at": iso_of(float(published["balance_at"])) if "balance_at" in published else None,
        "at": iso_of(store.now()),
    }


def _print_stats(found: dict[str, Any]) -> None:
    out = output.console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("state")
    table.add_column("jobs", justify="right")
    table.add_column("of these")
    for state, number in found["jobs"].items():
        reasons = ", ".join(
            f"{n} {reason}" for reason, n in found["reasons"].get(state, {}).items() if n
        )
        table.add_row(
            state, str(number), reasons, style=output.STYLES.get(State(state)) if number else "dim"
        )
    out.print(table)
    for gate in found["gates"]:
        out.print(f"Calls are held: {gate['why']} (gate {gate['gate']}, since {gate['since']})")
    if found["balance"] is not None:
        out.print(f"Balance {found['balance']:g} credits, looked at {found['balance_at']}")
