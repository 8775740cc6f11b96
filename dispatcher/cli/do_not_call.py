"""`dnc`: the do-not-call list."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from dispatcher.cli import connection, moments, output
from dispatcher.cli.do_not_call_files import export, import_
from dispatcher.cli.lazy import group
from dispatcher.cli.output import AsJson
from dispatcher.cli.person import Note, actor
from dispatcher.cli.region_option import Region
from dispatcher.cli.tables import Column, Table
from dispatcher.cli.unmasked import unmasked
from dispatcher.model.do_not_call import Entry, Wish, scope_of, whom
from dispatcher.store.do_not_call import Added
from dispatcher.values.counts import counted
from dispatcher.values.masking import mask_text

app = group("Keep people from being called: the do-not-call list.")

Numbers = Annotated[
    list[str],
    typer.Argument(metavar="NUMBER…", help="Numbers in E.164, or keyed hashes of this list."),
]
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="A number, or a keyed hash.")]
Reason = Annotated[str, typer.Option(help="Why, for those who look at the list.")]
Until = Annotated[
    str | None, typer.Option(help="When it ends: 90d, or ISO 8601 with zone; default never.")
]
Tag = Annotated[
    str | None,
    typer.Option(help="Only for jobs with this tag, such as marketing or campaign:spring."),
]
HashAlone = Annotated[bool, typer.Option("--hash", help="Keep no number, only its keyed hash.")]
Unmask = Annotated[bool, typer.Option("--unmask", "--unmasked", help="Show whole numbers.")]
COLUMNS = (
    *("number", Column("tag", least=12), Column("reason", least=12, rank=3)),
    *(Column("until", rank=1), Column("added by", rank=4), Column("added", rank=2)),
)


@app.command("add")
def add(
    context: typer.Context,
    numbers: Numbers,
    *,
    region: Region = None,
    reason: Reason = "",
    until: Until = None,
    tag: Tag = None,
    hash_: HashAlone = False,
    json: AsJson = False,
) -> None:
    """Put numbers on the list. Jobs that wait for them end as failed/do_not_call.

    \b
    Examples:
      voice-dispatcher dnc add +818012340001 --reason "asked by mail" --until 365d
      voice-dispatcher dnc add +818012340001 --tag marketing
    """
    wish = partial(Wish.of, region=region, reason=reason, until=until, tag=tag, keep=not hash_)
    wishes = [wish(number) for number in numbers]
    done = connection.dispatcher(context).store.do_not_call.add(wishes, actor=actor())
    if json:
        output.as_json({"answers": done.answers, "calling": done.calling})
        return
    output.lines([f"{counted(len(wishes), 'number')}: {_counts(done)}"])
    for id_ in done.calling:
        typer.echo(f"warning: job {id_} may be calling one of them now", err=True)


@app.command("remove")
def remove(
    context: typer.Context,
    numbers: Numbers,
    *,
    region: Region = None,
    tag: Annotated[str | None, typer.Option(help="Only the entry for this tag.")] = None,
    note: Note = "",
    json: AsJson = False,
) -> None:
    """Take numbers off the list: they may be called again."""
    found = [whom(number, region) for number in numbers]
    list_ = connection.dispatcher(context).store.do_not_call
    gone = list_.remove(found, actor=actor(), tag=scope_of(tag), note=note)
    if json:
        output.as_json({"removed": gone})
    else:
        output.lines([counted(sum(gone), "entry") + " removed"])
    if not all(gone):
        typer.echo(f"error: {counted(gone.count(0), 'number')} not on the list", err=True)
        raise typer.Exit(1)


@app.command("check")
def check(
    context: typer.Context, number: Number, *, region: Region = None, json: AsJson = False
) -> None:
    """Say whether a number is on the list, since when and why. Exit status 1: it is."""
    found = connection.dispatcher(context).store.do_not_call.check(whom(number, region))
    if json:
        output.as_json([entry.to_dict() for entry in found])
    else:
        output.lines(map(_in_words, found) if found else ["not on the list"])
    if found:
        raise typer.Exit(1)


@app.command("list")
def list_(context: typer.Context, *, unmask: Unmask = False, json: AsJson = False) -> None:
    """List the entries, newest first, with numbers masked."""
    store = connection.dispatcher(context).store
    found = sorted(store.do_not_call.all(), key=lambda entry: entry.added_at, reverse=True)
    if unmask:
        unmasked(store, "do-not-call list")
    rows = [entry.to_dict(mask=not unmask) for entry in found]
    if json:
        output.as_json(rows)
        return
    table = Table(*COLUMNS)
    for row in rows:
        table.add(*_cells(row))
    table.show("entries")


@app.command("key")
def key(
    context: typer.Context,
    *,
    set_: Annotated[
        Path | None,
        typer.Option("--set", metavar="FILE", help="Use the key in this file; before any entry."),
    ] = None,
) -> None:
    """Print the secret that hashes are keyed with. Who has it can try numbers against hashes."""
    list_ = connection.dispatcher(context).store.do_not_call
    if set_ is None:
        typer.echo(list_.key(actor=actor()))
        return
    try:
        text = set_.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        raise typer.BadParameter(f"{set_}: {error}", param_hint="--set") from None
    list_.set_key(text, actor=actor())
    typer.echo(f"hashes of this list begin with {list_.key_id()} now", err=True)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Return an entry as a row for people."""
    until = moments.minute(row["until"]) or "never"
    added = (row["added_by"], moments.minute(row["added_at"]))
    return (row["number"] or row["hash"], row["tag"] or "all", row["reason"] or "", until, *added)


def _in_words(entry: Entry) -> str:
    what = f"jobs tagged {mask_text(entry.tag)}" if entry.tag else "all jobs"
    until = f", until {moments.stamp(entry.until)}" if entry.until else ""
    why = f": {mask_text(entry.reason)}" if entry.reason else ""
    since = moments.stamp(entry.added_at)
    return f"on the list for {what} since {since}{until}, by {entry.added_by}{why}"


def _counts(done: Added) -> str:
    words = {"new": "new", "longer": "now on it for longer", "known": "on it already"}
    told = [f"{done.answers.count(each)} {words[each]}" for each in words if each in done.answers]
    return ", ".join(told)


app.command("import")(import_)
app.command("export")(export)
