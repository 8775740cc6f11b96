"""`call --dry-run`: what a call would be, how long it would take and what it would cost."""

from __future__ import annotations

import typer

from dispatcher.cli import output
from dispatcher.client.dispatcher import Dispatcher
from dispatcher.model.kinds import Kind
from dispatcher.model.request import JobRequest
from dispatcher.model.spoken_code import spoken
from dispatcher.policy.credit_forecast import in_credits
from dispatcher.store import packing
from dispatcher.store.values import Outcome
from dispatcher.values import speech
from dispatcher.values.scripts import misfit


def say(dispatcher: Dispatcher, request: JobRequest, *, json: bool) -> None:
    """Say it; nothing is enqueued. Raises what enqueuing it would raise, such as KeyConflict."""
    store = dispatcher.store
    row = packing.packed(request)
    [answer] = store.jobs.find_existing([row])
    new = Outcome(row.id, request, answer).unwrap().new
    lang = request.lang or store.languages.default()
    text = spoken(request.code, lang, request.say) if request.code else request.say
    length = None if text is None else max(1, round(speech.seconds(text, lang)))
    cost = store.budget.costs().if_answered(row.tariff)
    if warned := misfit(request.say or "", lang):
        typer.echo(f"warning: {warned}: give its language with --lang", err=True)
    if json:
        facts = {"expected_seconds": length, "expected_credits": float(cost), "lang": lang}
        output.as_json({"dry_run": True, "new": new, "kind": request.kind, **facts})
        return
    what = "a new job" if new else "already enqueued"
    long = f", said in about {length} s ({lang})" if request.kind is Kind.TTS else ""
    typer.echo(f"{what}{long}; it costs about {in_credits(cost)} if answered (estimates)")
