"""A bulk action on the jobs that a filter means: previewed, confirmed, done, reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import typer

from dispatcher.cli import output
from dispatcher.cli.person import NoTerminal, can_be_asked
from dispatcher.cli.progress import Progress as Bar
from dispatcher.cli.status import Status
from dispatcher.client.dispatcher import Dispatcher
from dispatcher.client.messages import wake
from dispatcher.model.bulk_action import WORDS, BulkAction, BulkActionKind, LeftOut, Preview
from dispatcher.model.filters import Filter
from dispatcher.policy import credit_forecast

INTERRUPTED = 130
_DONE = {
    BulkActionKind.RETRY: "retried",
    BulkActionKind.CANCEL: "cancelled",
    BulkActionKind.REACHED: "marked as reached",
    BulkActionKind.PRIORITISE: "set to",
}
REMEDIES = {
    "overdue": "--expires sets a new one; --state expired gives the first one's length again",
    "cancelled": "--state cancelled includes them",
    "do_not_call": "`dnc remove NUMBER` takes one off the list",
    "uncertain": "--uncertain redials now; `reached` marks them as reached",
}
"""What has a retry take in what it leaves out."""


def _done(action: Preview | BulkAction) -> str:
    words = _DONE[action.kind]
    return f"{words} {action.priority}" if action.priority else words


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done, how, and how to talk about it."""

    kind: BulkActionKind
    how: dict[str, Any]
    note: str
    dry_run: bool
    yes: bool
    json: bool


def require_consent(order: Order) -> None:
    """Refuse what nobody could be asked about."""
    if not (order.yes or order.dry_run or (can_be_asked() and not order.json)):
        why = "there is no terminal to ask at" if not order.json else "--json asks nobody"
        raise NoTerminal(f"{why}: use --dry-run to see a preview, then give --yes")


def run(
    dispatcher: Dispatcher, selection: Filter | Sequence[str], order: Order, actor: str
) -> None:
    """Preview, ask, act, report. Raises Exit with 1 where nobody agreed, or somebody stopped it."""
    with Status("looking at the jobs …"):
        seen = dispatcher.store.bulk.preview(order.kind, selection, **order.how)
    if order.dry_run:
        _show(seen, json=order.json)
        return
    if not order.json:
        _show(seen, json=False)
    if seen.ids and not order.yes and not typer.confirm(_question(seen), err=True):
        typer.echo("nothing was done", err=True)
        raise typer.Exit(1)
    report = _do(dispatcher, seen, actor, order.note)
    if order.json:
        output.as_json(report.to_dict())
    else:
        output.lines(report_lines(report))
    if report.state != "done":
        raise typer.Exit(1)


def _do(dispatcher: Dispatcher, seen: Preview, actor: str, note: str) -> BulkAction:
    store = dispatcher.store
    store.bulk.create(seen)
    store.bulk.begin(seen.id, actor=actor, note=note)
    try:
        with _bar(len(seen.ids), _done(seen)) as told:
            over = store.bulk.drive(seen.id, within=0, tell=told)
            wake(store, dispatcher.messenger)  # the first of them are dialled meanwhile
            if not over:
                store.bulk.drive(seen.id, tell=told)
    except KeyboardInterrupt:
        dispatcher.messenger.retrigger([seen.id])
        typer.echo(
            f"interrupted: the workers continue it; `voice-dispatcher actions stop {seen.id}` stops"
            f" it, `actions show {seen.id}` shows its progress",
            err=True,
        )
        raise typer.Exit(INTERRUPTED) from None
    wake(store, dispatcher.messenger)
    return store.bulk.get(seen.id)


@contextmanager
def _bar(total: int, words: str) -> Iterator[Callable[[int], None]]:
    done = 0
    with Bar(words, total, lambda: done) as bar:

        def told(left: int) -> None:
            nonlocal done
            done = total - left
            bar.move()

        yield told


def _show(seen: Preview, *, json: bool) -> None:
    if json:
        output.as_json(seen.to_dict())
    else:
        output.lines(preview_lines(seen))


def _question(seen: Preview) -> str:
    jobs = "this job" if len(seen.ids) == 1 else f"these {len(seen.ids):,} jobs"
    return f"{seen.kind}: {jobs}{_price(seen)}?"


def _price(seen: Preview) -> str:
    if seen.kind is not BulkActionKind.RETRY:
        return ""
    answered = credit_forecast.whole(seen.credits_if_answered)
    other = answered != credit_forecast.whole(seen.credits)
    more = f" ({answered} if all are answered)" if other else ""
    return f", for {credit_forecast.about(seen.credits)}{more}"


def preview_lines(seen: Preview) -> Iterator[str]:
    """Say what a bulk action would do."""
    yield f"{seen.kind}: {seen.selection}"
    yield f"{len(seen.ids):>9,} of {seen.matched:,} would be {_done(seen)}{_price(seen)}"
    if seen.may_have_been_called and seen.kind is not BulkActionKind.REACHED:
        yield f"{seen.may_have_been_called:>9,} of these may have been called already; nobody knows"
    if seen.excluded:
        yield "excluded:"
    for part in seen.excluded:
        remedy = REMEDIES.get(part.reason, "") if seen.kind is BulkActionKind.RETRY else ""
        yield f"{part.count:>9,} {WORDS[part.reason]}" + (f" ({remedy})" if remedy else "")


def report_lines(found: BulkAction) -> Iterator[str]:
    """Say how a bulk action stands."""
    who = f" by {found.actor}" + (f": {found.note}" if found.note else "") if found.actor else ""
    yield f"{found.kind} {found.id} {found.state}: {found.selection}{who}"
    yield f"{found.done:>9,} of {found.selected:,} {_done(found)}"
    if found.remaining:
        left = "not done, left as they are" if found.over else "to go"
        yield f"{found.remaining:>9,} {left}"
    yield from _why_not(found.skipped)
    if found.excluded:
        yield "excluded by the preview:"
    yield from _why_not(found.excluded)
    if found.tag and found.done:
        yield (
            f"these jobs have the tag {found.tag}:"
            " use it with --tag to list, pause, resume or cancel them"
        )


def _why_not(parts: Iterable[LeftOut]) -> Iterator[str]:
    for part in parts:
        more = " …" if part.count > len(part.ids) else ""
        yield f"{part.count:>9,} {WORDS[part.reason]}: {' '.join(part.ids)}{more}"
