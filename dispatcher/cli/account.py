"""`balance`: what the provider says of the account's credit."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

import typer

from dispatcher.cli import connection, output
from dispatcher.cli.output import AsJson
from dispatcher.errors import DispatcherError
from dispatcher.job import iso_of
from dispatcher.provider import Credentials, VoiceClient

Sid = Annotated[str | None, typer.Option(envvar="XOXZO_API_SID", help="The provider's API SID.")]
Token = Annotated[
    str | None,
    typer.Option(envvar="XOXZO_API_AUTH_TOKEN", help="Its token (better in the environment)."),
]
Host = Annotated[str, typer.Option(envvar="XOXZO_API_HOST", help="The provider's base URL.")]
HOST = "https://api.xoxzo.com"


class NoCredentials(DispatcherError):
    """Nobody said how to log in to the provider."""

    def __init__(self) -> None:
        super().__init__(
            "no provider credentials: set XOXZO_API_SID and XOXZO_API_AUTH_TOKEN,"
            " or run `voice-dispatcher up` with the sandbox in this directory"
        )


def balance(
    context: typer.Context,
    *,
    sid: Sid = None,
    token: Token = None,
    host: Host = HOST,
    json: AsJson = False,
) -> None:
    """Ask the provider for the account's balance, and say whether a gate holds calls back."""
    with client(context, sid, token, host) as provider:
        left = float(provider.credits())
    found: dict[str, Any] = {"balance": left, "gates": []}
    with suppress(connection.NoDispatcher):
        store = connection.dispatcher(context).store
        store.note_balance(left)
        found["gates"] = [
            {"gate": gate.name, "since": iso_of(gate.since), "why": gate.why}
            for gate in store.gates()
        ]
    if json:
        output.as_json(found)
        return
    output.console().print(f"{left:g} credits")
    for gate in found["gates"]:
        output.console().print(f"Calls are held: {gate['why']} (since {gate['since']})")


def client(context: typer.Context, sid: str | None, token: str | None, host: str) -> VoiceClient:
    """Return a client with these credentials, or the running sandbox's. Raises NoCredentials."""
    if sid and token:
        return VoiceClient(Credentials(sid, token), host=host)
    running = connection.of(context).running
    if running is None or running.sandbox_url is None:
        raise NoCredentials
    from dispatcher.sandbox import SandboxOptions  # noqa: PLC0415 - an extra

    known = SandboxOptions()
    return VoiceClient(Credentials(known.sid, known.token), host=running.sandbox_url)
