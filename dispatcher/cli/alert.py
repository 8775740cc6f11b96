"""`alert`: report an alert from a script, or as the notification command of Nagios or Icinga."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from dispatcher.alerts.sources import direct, nagios
from dispatcher.cli import output
from dispatcher.cli.gateway_reports import Gateway, GatewayUrl, KeyFile
from dispatcher.cli.output import AsJson
from dispatcher.cli.reports import report
from dispatcher.model.alert import Severity
from dispatcher.store.alert_values import Recorded
from dispatcher.values.durations import seconds

TRY_FOR = "20s"
"""Shorter than the 30 s after which Nagios ends its notification commands."""
_SAYS = {
    "new": "rings",
    "again": "rings again",
    "folded": "rings by the calls of another alert",
    "repeat": "was reported before: it rings nobody now",
    "resolved": "is over",
    "not_called": "is kept; a route says that nobody is called",
    "unknown": "was never reported: nothing to end",
}


class From(StrEnum):
    """Whose words the options are in."""

    DIRECT = direct.NAME
    NAGIOS = nagios.NAME


def alert(
    context: typer.Context,
    summary: Annotated[
        str, typer.Argument(metavar="SUMMARY", help="What is wrong, in a line that can be said.")
    ] = "",
    *,
    severity: Annotated[Severity, typer.Option(help="How bad it is.")] = Severity.CRITICAL,
    label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="What routes choose the chain by; may be repeated."
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="What it is known by, the same in each report; default: the summary."),
    ] = None,
    resolve: Annotated[
        bool, typer.Option("--resolve", help="It is over: call nobody more.")
    ] = False,
    link: Annotated[str | None, typer.Option(metavar="URL", help="A page about it.")] = None,
    source: Annotated[
        From, typer.Option(help="nagios: the options below are its macros, Icinga's as well.")
    ] = From.DIRECT,
    host: Annotated[str, typer.Option(help="$HOSTNAME$ (with --source nagios).")] = "",
    service: Annotated[
        str, typer.Option(help="$SERVICEDESC$; left out: it is about the host.")
    ] = "",
    state: Annotated[str, typer.Option(help="$SERVICESTATE$ or $HOSTSTATE$.")] = "",
    type_: Annotated[str, typer.Option("--type", help="$NOTIFICATIONTYPE$.")] = "",
    text: Annotated[
        str, typer.Option(help="$SERVICEOUTPUT$ or $HOSTOUTPUT$; without --source: details.")
    ] = "",
    try_for: Annotated[
        str, typer.Option(metavar="DURATION", help="How long to try while Redis is away.")
    ] = TRY_FOR,
    gateway: GatewayUrl = None,
    key_file: KeyFile = None,
    json: AsJson = False,
) -> None:
    """Report an alert: the people on call for it are called, as the chains say.

    Exit 0: it is recorded, or calls for nothing. 1: it could not be recorded. 2: wrong usage.

    \b
    Examples:
      voice-dispatcher alert "Disk full on db1" --label host=db1
      voice-dispatcher alert "Disk full on db1" --resolve
    """
    if source is From.NAGIOS:
        event = nagios.read(nagios.Notification(host, state, service, text, type_))
    else:
        event = direct.event(
            summary,
            severity=severity,
            labels=_labels(label),
            key=key,
            resolved=resolve,
            description=text,
            link=link,
        )
    if event is None:
        _say(None, f"a notification of the type {type_} calls for nothing", json=json)
        return
    recorded = report(context, event, seconds(try_for), Gateway.of(gateway, key_file))
    _say(recorded, f"{recorded.id or 'it'} {_SAYS[recorded.what]}", json=json)


def _labels(given: list[str] | None) -> dict[str, str]:
    found = {}
    for each in given or ():
        name, equals, value = each.partition("=")
        if not (name.strip() and equals):
            raise typer.BadParameter(f"{each[:60]!r}: write NAME=VALUE", param_hint="--label")
        found[name.strip()] = value.strip()
    return found


def _say(recorded: Recorded | None, words: str, *, json: bool) -> None:
    if not json:
        output.line(words)
        return
    found: dict[str, Any] = {"id": None, "what": "ignored", "state": None, "bundle": None}
    if recorded:
        found = {
            "id": recorded.id or None,
            "what": recorded.what,
            "state": recorded.state,
            "bundle": recorded.told_by,
        }
    output.as_json(found)
