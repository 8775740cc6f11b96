"""`watch`: jobs as they change, live."""

from __future__ import annotations

import json as json_
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.text import Text

from dispatcher.cli import connection, moments, output
from dispatcher.cli.filters import by_filter
from dispatcher.cli.job_output import STYLES, job_table
from dispatcher.cli.output import AsJson
from dispatcher.client.watching import Change, Gap, News
from dispatcher.client.watching import watch as news_of
from dispatcher.model.filters import Filter
from dispatcher.model.job import Job, event_dict, iso
from dispatcher.model.states import LIVE, State
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable
from dispatcher.values.durations import seconds

TICK = 1.0
"""Seconds between counts, and the longest that a look at the clock is put off."""
RESYNC = 10.0
"""Seconds between readings of all rows: whatever may have been missed is set right."""
_AROUND = 4  # lines of the terminal that the rows leave free

For = Annotated[
    str | None, typer.Option("--for", help="Stop after this time, such as 2m; default: Ctrl-C.")
]


@by_filter
def watch(
    context: typer.Context,
    *,
    filter_: Filter,
    for_: For = None,
    json: AsJson = False,
) -> None:
    """Show jobs as they change. A live table, or with --json one object for each change."""
    end = time.monotonic() + seconds(for_) if for_ is not None else None
    store = connection.dispatcher(context).store
    with suppress(KeyboardInterrupt):  # the usual way to end it
        if json or output.width() is None or output.console().is_dumb_terminal:
            _follow(store, filter_, end, _print_json if json else _print_line)
        else:
            _live(store, filter_, end)


def _batches(store: Store, filter_: Filter, end: float | None) -> Iterator[list[News]]:
    for batch in news_of(store, filter_, TICK if end is None else min(TICK, 0.2)):
        yield batch
        if end is not None and time.monotonic() >= end:
            return


def _follow(store: Store, filter_: Filter, end: float | None, show: Any) -> None:
    for batch in _batches(store, filter_, end):
        for each in batch:
            show(each)
        sys.stdout.flush()


def _print_json(each: News) -> None:
    if isinstance(each, Gap):
        told: dict[str, Any] = {"gap": {"since": iso(each.since), "until": iso(each.until)}}
    else:
        event = event_dict(each.event, mask=True)
        told = {"event": event, "job": each.job.to_dict(mask=True)}
    sys.stdout.write(json_.dumps(told, ensure_ascii=False) + "\n")


def _print_line(each: News) -> None:
    if isinstance(each, Gap):
        since = moments.stamp(each.since)
        line = f"{moments.stamp(each.until)}  Redis could not be reached since {since}"
    else:
        event, shown = each.event, each.job.to_dict(mask=True)
        to = f"{event.to}/{event.reason}" if event.reason else event.to
        who = shown.get("recipient") or ", ".join(shown["participants"])
        why = event_dict(event, mask=True)["why"]
        line = f"{moments.stamp(event.at)}  {each.job.id}  {who:<14}  {to:<24}  {why}".rstrip()
    output.line(line)


class Board:
    """The jobs that the table shows: the latest changed first, as many as there is room for."""

    def __init__(self, store: Store, filter_: Filter, room: int) -> None:
        self._store, self._filter, self._room = store, filter_, room
        self._rows: dict[str, Job] = {}
        self._read_at = self._counted_at = 0.0
        self._counts: dict[str, int] = {}

    def begin(self) -> None:
        """Show what is under way."""
        live = replace(self._filter, states=tuple(self._filter.states) or tuple(LIVE))
        found = list(islice(self._store.search.find(live), self._room))
        self._rows = {job.id: job for job in reversed(found)}

    def take(self, batch: list[News]) -> None:
        """Show what has changed; after a gap, and now and then, read every row anew."""
        for each in batch:
            if isinstance(each, Change):
                self._rows.pop(each.job.id, None)
                self._rows[each.job.id] = each.job
        for id_ in list(self._rows)[: -self._room]:
            del self._rows[id_]
        now = time.monotonic()
        if any(isinstance(each, Gap) for each in batch) or now - self._read_at > RESYNC:
            self._read_at = now
            self._reread()
        if now - self._counted_at > TICK:
            self._counted_at = now
            by_state = self._store.search.counts()
            self._counts = {state: sum(reasons.values()) for state, reasons in by_state.items()}

    def _reread(self) -> None:
        found = zip(self._rows, self._store.jobs.get_many(self._rows), strict=True)
        self._rows = {id_: job for id_, job in list(found) if job is not None}

    def shown(self, width: int, *, colours: bool) -> list[str]:
        """Return the counts and the table in lines, for so many columns of the terminal."""
        counts = [
            output.painted(f"{n:,} {state}", STYLES.get(State(state), "") if colours else "")
            for state, n in self._counts.items()
            if n
        ]
        rows = job_table(reversed(self._rows.values())).rendered(width, colours=colours)
        return ["  ".join(counts) or "no jobs", "", *rows]


def _live(store: Store, filter_: Filter, end: float | None) -> None:
    out = output.console()
    board = Board(store, filter_, max(1, out.height - _AROUND))
    with Live(console=out, auto_refresh=False, screen=True, vertical_overflow="crop") as live:
        for number, batch in enumerate(_batches(store, filter_, end)):
            with suppress(StoreUnavailable):  # the next batch brings a gap, and all is read anew
                if number == 0:
                    board.begin()
                board.take(batch)
            lines = board.shown(out.width, colours=output.colours())
            live.update(Text.from_ansi("\n".join(lines)), refresh=True)
