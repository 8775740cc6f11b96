"""`import`: many jobs from the rows of a file, checked first, safe to repeat and to interrupt."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from dispatcher.cli import connection
from dispatcher.cli.import_file import Rows, opened
from dispatcher.cli.import_run import SHOWN, Run
from dispatcher.cli.numbers_option import Plus, numbers_of
from dispatcher.cli.output import AsJson, Format
from dispatcher.cli.person import Yes, can_be_asked
from dispatcher.cli.region_option import Region
from dispatcher.rows import evidence
from dispatcher.rows.columns import Columns, shown
from dispatcher.rows.dates import Dates, Order
from dispatcher.rows.form import LONGEST_NAME, ROW, Form, Numbers, gathered, params, split
from dispatcher.rows.importing import Import
from dispatcher.rows.template import Template
from dispatcher.values.durations import seconds
from dispatcher.values.zones import zone

File = Annotated[
    str,
    typer.Argument(metavar="FILE", help="CSV or .xlsx with a header, JSON lines; - is stdin."),
]
Given = Annotated[
    Format | None, typer.Option("--format", help="csv or jsonl; detected if left out.")
]
Delimiter = Annotated[str | None, typer.Option(help="Delimiter of CSV; detected among , ; tab |.")]
Encoding = Annotated[
    str | None, typer.Option(help="Such as cp932; default UTF-8, or as the byte order mark says.")
]
SheetName = Annotated[
    str | None, typer.Option("--sheet", help="Sheet of a workbook that has several.")
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="COLUMN=FIELD",
        help="The field that a column holds; COLUMN= ignores the column.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="FIELD=VALUE", help="Value for all rows that do not have their own."
    ),
]
Say = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Text to speak; {column} is filled in from each row."),
]
Zone = Annotated[
    str | None,
    typer.Option(help="Dates without a zone are by the clock of this one, such as Asia/Tokyo."),
]
DateOrder = Annotated[
    Order | None,
    typer.Option("--dates", help="What 03/12/2026 means: the day (dmy) or month (mdy) first."),
]
Name = Annotated[
    str,
    typer.Option(
        "--id",
        metavar="NAME",
        help="Name of this import; another name makes the same rows new jobs.",
    ),
]
Refused = Annotated[
    Path | None, typer.Option("--refused", help="File for refused rows; default: next to FILE.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check all rows and show the cost; enqueue nothing.")
]
WaitForRedis = Annotated[
    str, typer.Option("--wait-for-redis", help="How long to wait if Redis cannot be reached.")
]


def import_(
    context: typer.Context,
    file: File,
    *,
    format_: Given = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    sheet: SheetName = None,
    map_: Map = None,
    set_: Set = None,
    say: Say = None,
    region: Region = None,
    plus: Plus = False,
    zone: Zone = None,
    dates: DateOrder = None,
    name: Name = ROW,
    refused: Refused = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    wait_for_redis: WaitForRedis = "60s",
    json: AsJson = False,
) -> None:
    """Enqueue a call for each row of a file. Wrong rows are refused. It is safe to repeat.

    \b
    Examples:
      voice-dispatcher import customers.csv --dry-run
      voice-dispatcher import customers.xlsx --say "Hello {name}" --region JP
      voice-dispatcher import visits.jsonl --set tags=campaign:spring
    """
    given = _Given(
        columns=_pairs("--map", map_),
        shared=_shared(set_),
        say=None if say is None else Template.parse(say),
        numbers=numbers_of(context, region, plus=plus),
        name=_name(name),
        dates=Dates(_zone(zone), dates),
    )
    if refused and refused.exists() and Path(file).exists() and refused.samefile(file):
        raise typer.BadParameter(
            "that is the file being read; choose another", param_hint="--refused"
        )
    with opened(file, format_, _delimiter(delimiter), _encoding(encoding), sheet) as found:
        rows = evidence.Sampled(found)
        form = given.form(found, rows)
        evidence.refuse_strangers(form, rows.first)
        dispatcher = connection.dispatcher(context)
        form = replace(form, secret=cache(dispatcher.store.clients.row_secret))
        act = Import(dispatcher, form, patience=seconds(wait_for_redis))
        run = Run(act, file, found, rows, refused, dry_run=dry_run)
        _tell_of_columns(run, form)
        raise typer.Exit(run.run(ask=not yes and file != "-" and can_be_asked(), json=json))


@dataclass(frozen=True)
class _Given:
    """What the options say of the rows."""

    columns: dict[str, str]
    shared: dict[str, Any]
    say: Template | None
    numbers: Numbers
    name: str
    dates: Dates

    def form(self, found: Rows, rows: evidence.Sampled) -> Form:
        gaps = self.say.gaps if self.say else ()
        columns = Columns.of(found.columns, self.columns, gaps)
        dates = self.dates
        if dates.order is None and (order := evidence.order(columns, rows.first, self.say)):
            dates = replace(dates, order=order, seen=True)
        return Form(columns, self.shared, self.say, self.numbers, self.name, dates)


# -- options -------------------------------------------------------------------------------


def _pairs(option: str, texts: list[str] | None) -> dict[str, str]:
    pairs = {}
    for text in texts or ():
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint=option)
        pairs[name.strip()] = value.strip()
    return pairs


def _shared(texts: list[str] | None) -> dict[str, Any]:
    pairs = _pairs("--set", texts)
    return gathered({name: _value(name, value) for name, value in pairs.items() if value})


def _value(name: str, text: str) -> Any:
    if name == "params":
        return params(text)
    return split(name, text) if name in {"tags", "participants"} else text


def _zone(text: str | None) -> ZoneInfo | None:
    try:
        return None if text is None else zone(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--zone") from None


def _name(text: str) -> str:
    if not text.strip() or len(text) > LONGEST_NAME or not text.isprintable():
        raise typer.BadParameter(
            f"a name has 1 to {LONGEST_NAME} printable characters", param_hint="--id"
        )
    return text


def _delimiter(text: str | None) -> str | None:
    if text is None:
        return None
    one = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(one) != 1 or one in '"\r\n\0':
        raise typer.BadParameter(f"{text!r} is not one character", param_hint="--delimiter")
    return one


def _encoding(text: str | None) -> str | None:
    try:
        if text is not None:
            "".encode(codecs.lookup(text).name)
        return text
    except (LookupError, ValueError):
        raise typer.BadParameter(
            f"{text!r} is not an encoding such as cp932", param_hint="--encoding"
        ) from None


def _tell_of_columns(run: Run, form: Form) -> None:
    """Say how each column is read, and which are not."""
    gaps = form.say.gaps if form.say else ()
    run.columns = form.columns.described(gaps, form.dates.described())
    unused = [shown(name) for name in form.columns.unused(gaps)]
    for what, names in (("read", list(run.columns)), ("not used", unused)):
        if names:
            more = " and more" if len(names) > SHOWN else ""
            typer.echo(f"{run.file}: {what}: {', '.join(names[:SHOWN])}{more}", err=True)
