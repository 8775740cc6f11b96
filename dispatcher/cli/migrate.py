"""`migrate`: the records of an older version brought up to date, while nothing dials."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from dispatcher.cli import connection, output
from dispatcher.cli.output import AsJson
from dispatcher.cli.progress import Progress
from dispatcher.store.migrate import Done, Migration, Plan
from dispatcher.store.schema import SCHEMA
from dispatcher.values.counts import counted

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]


def migrate(context: typer.Context, *, dry_run: DryRun = False, json: AsJson = False) -> None:
    """Bring the records of an older version up to date. Stop all processes first.

    If it is stopped half-way, run it again: it continues where it was. What earlier releases
    have loaded into Redis and no longer need is removed.
    """
    found = connection.of(context)
    migration = Migration.from_url(found.url(), namespace=found.namespace)
    plan = migration.plan()
    if dry_run or not plan.needed:
        _say_plan(plan, json=json)
    else:
        _say_done(_run(migration, shown=not json), json=json)
    if not dry_run:
        migration.tidy()


def _run(migration: Migration, *, shown: bool) -> Done:
    moved = 0

    def count(_step: str, many: int) -> None:
        nonlocal moved
        moved += many
        bar.move()

    with Progress("migrating", None, lambda: moved, shown=shown) as bar:
        return migration.run(count)


def _say_plan(plan: Plan, *, json: bool) -> None:
    if json:
        output.as_json({"migrated": False, "needed": plan.needed, **asdict(plan)})
    elif plan.needed:
        stands = "half-way to" if plan.goes_on else f"of schema {plan.schema}, to bring to"
        typer.echo(f"the records are {stands} schema {SCHEMA}: {_counted(plan.jobs)}")
    elif plan.schema is None:
        typer.echo("nothing to do: there are no records")
    else:
        typer.echo(f"nothing to do: the records have schema {SCHEMA}")


def _say_done(done: Done, *, json: bool) -> None:
    if json:
        output.as_json({"migrated": True, "schema": SCHEMA, **asdict(done)})
        return
    moved = counted(done.moved, "entry")
    typer.echo(f"migrated to schema {SCHEMA}: {_counted(done.jobs)}; {moved}")
    if done.without_record:
        typer.echo(f"{counted(done.without_record, 'job')} had no record before, either")


def _counted(jobs: dict[str, int]) -> str:
    parts = ", ".join(f"{many:,} {state}" for state, many in jobs.items())
    return counted(sum(jobs.values()), "job") + (f" ({parts})" if parts else "")
