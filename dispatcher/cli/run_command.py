"""`run`: a command that somebody is called for when it fails, such as one of cron."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath
from typing import Annotated

import typer

from dispatcher.cli import child_command
from dispatcher.cli.gateway_reports import Gateway, GatewayUrl, KeyFile
from dispatcher.errors import DispatcherError
from dispatcher.model.alert import AlertEvent, Severity
from dispatcher.values.durations import seconds


class OnSuccess(StrEnum):
    """What a success does."""

    RESOLVE = "resolve"
    NOTHING = "nothing"


def run(
    context: typer.Context,
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND…", help="The command and its arguments.")
    ],
    *,
    name: Annotated[
        str | None, typer.Option(help="What the alert says failed; default: the program's name.")
    ] = None,
    severity: Annotated[Severity, typer.Option(help="How bad it is.")] = Severity.CRITICAL,
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A label, for routes; may be given again."),
    ] = None,
    timeout: Annotated[
        str | None, typer.Option(help="End it after so long, such as 30m; that is a failure.")
    ] = None,
    on_success: Annotated[
        OnSuccess, typer.Option(help="What a success does to the alert of an earlier failure.")
    ] = OnSuccess.RESOLVE,
    try_for: Annotated[
        str, typer.Option(metavar="DURATION", help="How long to try while Redis is away.")
    ] = "1m",
    gateway: GatewayUrl = None,
    key_file: KeyFile = None,
) -> None:
    """Run a command, and call somebody when it fails.

    Its output, its exit code and the signals that it is sent pass through.
    """
    from dispatcher.alerts.watched_command import Watched  # noqa: PLC0415 - the command comes first

    labels, within = _labels(label or []), _duration(try_for, "--try-for")
    through = Gateway.of(gateway, key_file)
    most = None if timeout is None else _duration(timeout, "--timeout")
    watched = Watched(name or PurePath(command[0]).name, severity, labels)
    ended = child_command.run(command, most)
    if ended.code and not ended.interrupted:  # who presses Ctrl-C knows of it
        _report(context, watched.failed(ended.how, ended.lines), within, through)
    elif not ended.code and on_success is OnSuccess.RESOLVE:
        _report(context, watched.succeeded(), within, through)
    raise typer.Exit(ended.code)


def _duration(text: str, option: str) -> float:
    try:
        return seconds(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def _labels(texts: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    if wrong := [name for name, sign, _ in pairs if not (name and sign)]:
        raise typer.BadParameter(f"{wrong[0]!r} is no NAME=VALUE", param_hint="--label")
    return {name: value for name, _, value in pairs}


def _report(
    context: typer.Context, event: AlertEvent, within: float, gateway: Gateway | None
) -> None:
    """Report it; what keeps that from being done is one line, and changes no exit code."""
    from dispatcher.cli.reports import report  # noqa: PLC0415 - the command comes first

    try:
        report(context, event, within, gateway)
    except DispatcherError as error:
        told = "nobody is called for it" if event.firing else "an alert of it would stay open"
        typer.echo(f"voice-dispatcher run: {told}: {error}", err=True)
