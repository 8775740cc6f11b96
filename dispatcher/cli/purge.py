"""`purge`: forget one recipient, as somebody may ask for, or what ended long ago."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dispatcher.cli import connection, output
from dispatcher.cli.job_output import one_line
from dispatcher.cli.output import AsJson
from dispatcher.cli.person import DryRun, Note, NoTerminal, Yes, actor, can_be_asked
from dispatcher.cli.region_option import Region
from dispatcher.cli.status import Status
from dispatcher.model.do_not_call import Wish
from dispatcher.model.job import Job
from dispatcher.store import Store
from dispatcher.store.retention import Purged
from dispatcher.values.counts import counted
from dispatcher.values.durations import seconds
from dispatcher.values.masking import mask_number, mask_text
from dispatcher.values.mentions import Mentions
from dispatcher.values.national import read
from dispatcher.values.numbers import InvalidNumber
from dispatcher.values.regions import UnknownRegion, parse_region

Who = Annotated[
    str | None,
    typer.Option("--recipient", help="A whole number: remove everything stored about it."),
]
Age = Annotated[
    str | None,
    typer.Option("--older-than", help="Remove jobs that ended longer ago than this, such as 90d."),
]
Rewrite = Annotated[
    bool,
    typer.Option(
        "--rewrite",
        help="Have Redis rewrite its append-only file, which holds what was removed until then.",
    ),
]
REWRITTEN_WITHIN = 600.0
"""Seconds that are waited for Redis to rewrite its file."""
DoNotCallToo = Annotated[
    bool,
    typer.Option(
        "--do-not-call",
        help="Put the number on the do-not-call list first, as a keyed hash alone.",
    ),
]
Cancel = Annotated[
    bool, typer.Option("--cancel", help="Cancel the recipient's waiting jobs first.")
]


def purge(
    context: typer.Context,
    *,
    recipient: Who = None,
    region: Region = None,
    older_than: Age = None,
    cancel: Cancel = False,
    do_not_call: DoNotCallToo = False,
    rewrite: Rewrite = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    note: Note = "",
    json: AsJson = False,
) -> None:
    """Remove ended jobs for good: by age, or all of one recipient.

    \b
    Examples:
      voice-dispatcher purge --older-than 90d --dry-run
      voice-dispatcher purge --recipient +818012340001 --do-not-call
    """
    if (recipient is None) == (older_than is None):
        raise typer.BadParameter("give either --recipient or --older-than")
    if do_not_call and recipient is None:
        raise typer.BadParameter("it goes with --recipient", param_hint="--do-not-call")
    ask = _Asker(dry_run=dry_run, yes=yes)
    store = connection.dispatcher(context).store
    if recipient is not None:
        how = {"cancel": cancel, "do_not_call": do_not_call, "json": json}
        done = _purge_recipient(store, _number(recipient, region), ask, note, **how)
    else:
        done = _purge_older(store, older_than or "", ask, note, json=json)
    if done is not None:
        _file(store, rewrite=rewrite)
        _require_all(done)


class _Asker:
    """Whether it is to be done: people are asked at a terminal, programs say --yes."""

    def __init__(self, *, dry_run: bool, yes: bool) -> None:
        self._dry_run, self._yes = dry_run, yes
        if not (dry_run or yes or can_be_asked()):
            raise NoTerminal("it cannot be undone, and there is no terminal to ask at: give --yes")

    def agreed(self, what: str) -> bool:
        if self._dry_run:
            return False
        return self._yes or typer.confirm(f"{what}. Remove for good?", err=True)


def _purge_recipient(
    store: Store,
    number: str,
    ask: _Asker,
    note: str,
    *,
    cancel: bool,
    do_not_call: bool,
    json: bool,
) -> Purged | None:
    found, shown = store.retention.jobs_of(number), mask_number(number)
    what = f"{shown}: {counted(len(found.ended), 'ended job')}, {len(found.alive):,} not ended"
    if found.alive and not cancel:
        _tell(what, found.alive, {"would_remove": len(found.ended)}, json=json)
        remedy = "--cancel cancels those that wait; calls under way end soon"
        typer.echo(f"error: some jobs have not ended, so nothing was removed: {remedy}", err=True)
        raise typer.Exit(1)
    if not ask.agreed(what):
        texts = store.redaction.count(Mentions(number))
        would = {"would_remove": len(found.ended), "would_mask": texts}
        hidden = f"; the number stands in {_texts(texts)}" if texts else ""
        _tell(what + hidden, found.alive, would, json=json)
        return None
    _keep_from_being_called(store, number, note, do_not_call=do_not_call)
    with Status(f"removing what stands of {shown} …"):
        done = store.retention.forget_recipient(number, actor=actor(), note=mask_text(note))
    _write_down(store, f"recipient:{shown}", note, done)
    _report(done, json=json)
    return done


def _keep_from_being_called(store: Store, number: str, note: str, *, do_not_call: bool) -> None:
    """Put the number on the list before anything is removed, or say that it is not there."""
    if do_not_call:
        store.do_not_call.add([Wish(number, reason=mask_text(note), keep=False)], actor=actor())
    elif not any(entry.tag is None for entry in store.do_not_call.check(number)):
        typer.echo(
            "the number is not on the do-not-call list: who enqueues it again calls it again. Give"
            " --do-not-call if that must not be",
            err=True,
        )


def _purge_older(store: Store, age: str, ask: _Asker, note: str, *, json: bool) -> Purged | None:
    before = store.now() - seconds(age) * 1000
    with Status("counting the jobs …"):
        many = store.retention.count_older(before)
    what = f"{counted(many, 'job')} ended more than {age} ago"
    if not ask.agreed(what):
        _tell(what, (), {"would_remove": many}, json=json)
        return None
    with Status() as status:
        done = store.retention.forget_older(
            before, lambda removed: status.show(f"removed {removed:,} of {counted(many, 'job')}")
        )
    _write_down(store, f"older-than:{age}", note, done)
    _report(done, json=json)
    return done


def _write_down(store: Store, target: str, note: str, done: Purged) -> None:
    redacted = done.redacted
    facts = {"jobs": done.jobs, "cancelled": done.cancelled, "webhooks": done.webhooks}
    facts["masked"] = redacted.audit + redacted.events + redacted.records
    store.audit.record(actor(), "purge", target, mask_text(note), **facts)


def _report(done: Purged, *, json: bool) -> None:
    webhooks, texts = counted(done.webhooks, "webhook"), done.redacted
    masked = texts.audit + texts.events + texts.records
    what = f"{counted(done.jobs, 'job')} removed, {webhooks} about them"
    counts = {"removed": done.jobs, "cancelled": done.cancelled, "webhooks": done.webhooks}
    facts = {**counts, "alerts": done.alerts, "masked": masked, "named": texts.left}
    what += f", {counted(done.alerts, 'alert')}" if done.alerts else ""
    hidden = f"; the number is masked in {_texts(masked)}" if masked else ""
    _tell(what + hidden, done.left, facts, json=json)
    for name in texts.left:
        typer.echo(f"warning: {name} is named after the number: end it, and purge again", err=True)


def _texts(many: int) -> str:
    return counted(many, "text") + " that people wrote"


def _file(store: Store, *, rewrite: bool) -> None:
    """Say what Redis' file still holds, or have it rewritten."""
    if not store.append_only.is_on():
        return
    if not rewrite:
        typer.echo(
            "Redis' append-only file holds what was removed until it is rewritten: give --rewrite",
            err=True,
        )
    elif _rewritten(store):
        typer.echo("Redis has rewritten its append-only file", err=True)
    else:
        typer.echo("error: Redis has not rewritten its append-only file: see its log", err=True)
        raise typer.Exit(1)


def _rewritten(store: Store) -> bool:
    with Status("Redis rewrites its append-only file …"):
        return store.append_only.rewrite(REWRITTEN_WITHIN)


def _require_all(done: Purged) -> None:
    if done.left:
        typer.echo("error: calls are under way: purge again when they have ended", err=True)
        raise typer.Exit(1)


def _tell(what: str, alive: tuple[Job, ...], facts: dict[str, Any], *, json: bool) -> None:
    if json:
        output.as_json({**facts, "not_ended": [job.to_dict(mask=True) for job in alive]})
        return
    typer.echo(what)
    for job in alive:
        one_line(job)


def _number(text: str, region: str | None) -> str:
    try:
        return read(text, parse_region(region) if region else None)
    except UnknownRegion as error:
        raise typer.BadParameter(str(error), param_hint="--region") from None
    except InvalidNumber as error:
        raise typer.BadParameter(str(error), param_hint="--recipient") from None
