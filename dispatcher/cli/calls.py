"""`call` and `conference`: enqueue one, and perhaps wait for what becomes of it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dispatcher.cli import connection, forecast, output, waiting
from dispatcher.cli.job_output import details, one_line
from dispatcher.cli.output import AsJson
from dispatcher.cli.region_option import Region
from dispatcher.model.request import JobRequest
from dispatcher.model.states import Dnc, OnUncertain, Priority, State
from dispatcher.values.durations import seconds
from dispatcher.values.params import named

Caller = Annotated[str | None, typer.Option(help="Number shown to the recipient.")]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="TAG", help="A tag; may be given several times."),
]
Key = Annotated[
    str | None, typer.Option(help="Idempotency key: the same key and request make one job.")
]
Urgency = Annotated[Priority, typer.Option("--priority", help="How soon it is dialled.")]
At = Annotated[
    str | None, typer.Option(help="When to call: ISO 8601 with zone, or a delay such as 15m.")
]
Expires = Annotated[
    str | None, typer.Option(help="Deadline: a duration from now, or ISO 8601 with zone.")
]
MaxAttempts = Annotated[int | None, typer.Option(help="The most attempts to spend.")]
Redial = Annotated[int | None, typer.Option(help="How many times to call again if nobody answers.")]
RedialAfter = Annotated[str | None, typer.Option(help="Pause before a redial, such as 2m.")]
Unsure = Annotated[
    OnUncertain | None,
    typer.Option(
        "--on-uncertain",
        help="If nobody can know whether the call was placed: redial, or hold (the job ends as"
        " failed/outcome_unknown, and a person decides).",
    ),
]
Backoff = Annotated[
    str | None, typer.Option(help="Longest pause between tries that reached nobody, such as 30s.")
]
Hours = Annotated[
    str | None,
    typer.Option(help="Calling hours by the recipient's clock, such as '08:00-21:00'; or any."),
]
Webhook = Annotated[
    str | None,
    typer.Option(help="URL that is told when the job has ended (docs/how-to/webhooks.md)."),
]
AnsweredAfter = Annotated[
    str | None,
    typer.Option(
        help="An answer that is shorter than this, such as 4s, counts as not reached and is"
        " redialled."
    ),
]
Params = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        metavar="NAME=VALUE",
        help="A further form field for the provider. May be given several times.",
    ),
]
Obeyed = Annotated[
    Dnc,
    typer.Option("--dnc", help="The do-not-call list: obey it, or call all the same (exempt)."),
]
Meta = Annotated[
    list[str] | None,
    typer.Option(
        "--meta",
        metavar="NAME=TEXT",
        help="A field of your own, which comes back with the job. May be given several times.",
    ),
]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait until the job has ended; exit 1 if nobody was reached.")
]
Timeout = Annotated[
    str | None, typer.Option(help="With --wait: stop waiting after this time, such as 2m.")
]


def call(
    context: typer.Context,
    recipient: Annotated[
        str,
        typer.Argument(
            help="Number in E.164, such as +818011234567; or with --region as written there."
        ),
    ],
    *,
    say: Annotated[str | None, typer.Option(help="Text to speak.")] = None,
    play: Annotated[str | None, typer.Option(help="Recording to play: http URL of an MP3.")] = None,
    lang: Annotated[
        str | None, typer.Option(help="Language of the text, such as en; default DISPATCHER_LANG.")
    ] = None,
    code: Annotated[
        str | None,
        typer.Option(help="One-time code, read digit by digit and twice; --say is its greeting."),
    ] = None,
    region: Region = None,
    caller: Caller = None,
    tags: Tags = None,
    key: Key = None,
    priority: Annotated[
        Priority | None,
        typer.Option(help="How soon it is dialled; default normal, of a code urgent."),
    ] = None,
    at: At = None,
    expires: Expires = None,
    max_attempts: MaxAttempts = None,
    redial: Redial = None,
    redial_after: RedialAfter = None,
    on_uncertain: Unsure = None,
    backoff_longest: Backoff = None,
    hours: Hours = None,
    answered_after: AnsweredAfter = None,
    webhook: Webhook = None,
    params: Params = None,
    dnc: Obeyed = Dnc.OBEY,
    meta: Meta = None,
    wait: Wait = False,
    timeout: Timeout = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Check it, and show how long it takes and the cost; enqueue nothing."
        ),
    ] = False,
    json: AsJson = False,
) -> None:
    """Call somebody: say a text, or play a recording.

    \b
    Examples:
      voice-dispatcher call +818012340001 --say "Disk full on db1" --wait
      voice-dispatcher call +818012340001 --play http://example.com/a.mp3 --at 15m
      voice-dispatcher call +818012340001 --say "Your code is" --code 4711
      voice-dispatcher call 080-1234-0001 --region JP --say Hello --dry-run
    """
    fields = {name: value for name, value in locals().items() if name in JobRequest.model_fields}
    if priority is None:
        del fields["priority"]
    if dry_run:
        forecast.say(connection.dispatcher(context), _request(fields), json=json)
        return
    _submit(context, fields, wait=wait, timeout=timeout, json=json)


def conference(
    context: typer.Context,
    participants: Annotated[list[str], typer.Argument(help="Two or three numbers, as for call.")],
    *,
    lang: Annotated[
        str | None, typer.Option(help="Language of the announcements: en or ja.")
    ] = None,
    region: Region = None,
    caller: Caller = None,
    tags: Tags = None,
    key: Key = None,
    priority: Urgency = Priority.NORMAL,
    at: At = None,
    expires: Expires = None,
    max_attempts: MaxAttempts = None,
    redial: Redial = None,
    redial_after: RedialAfter = None,
    on_uncertain: Unsure = None,
    backoff_longest: Backoff = None,
    hours: Hours = None,
    webhook: Webhook = None,
    params: Params = None,
    dnc: Obeyed = Dnc.OBEY,
    meta: Meta = None,
    wait: Wait = False,
    timeout: Timeout = None,
    json: AsJson = False,
) -> None:
    """Connect two or three people in a conference.

    \b
    Examples:
      voice-dispatcher conference +818012340001 +818012340002 --key visit-17
    """
    fields = {name: value for name, value in locals().items() if name in JobRequest.model_fields}
    _submit(context, fields, wait=wait, timeout=timeout, json=json)


def _submit(
    context: typer.Context, fields: dict[str, Any], *, wait: bool, timeout: str | None, json: bool
) -> None:
    request = _request(fields)
    if timeout is not None and not wait:
        raise typer.BadParameter("it goes with --wait", param_hint="--timeout")
    limit = None if timeout is None else seconds(timeout)
    handle = connection.dispatcher(context).submit(request)
    if request.say and (misfit := handle.refresh().misfit):
        typer.echo(f"warning: {misfit}: give its language with --lang", err=True)
    job = waiting.ended(handle, limit) if wait else handle.refresh()
    if json:
        output.as_json(job.to_dict())
    elif wait:
        details(job)
    else:
        one_line(job)
    if wait and job.state is not State.COMPLETED:
        raise typer.Exit(1)


def _request(fields: dict[str, Any]) -> JobRequest:
    params, meta = (_pairs(name, fields[name]) for name in ("params", "meta"))
    tags = tuple(fields["tags"] or ())
    return JobRequest.of({**fields, "tags": tags, "params": params, "meta": meta})


def _pairs(name: str, pairs: list[str] | None) -> dict[str, str] | None:
    try:
        return named(pairs) if pairs else None
    except ValueError as error:
        option = f"--{name.removesuffix('s')}"
        raise typer.BadParameter(str(error), param_hint=option) from None
