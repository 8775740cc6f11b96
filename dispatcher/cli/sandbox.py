"""`sandbox`: the provider's stand-in, for trying out and for other services' tests."""

from __future__ import annotations

from typing import Annotated

import typer

from dispatcher.errors import DispatcherError


class SandboxUnavailable(DispatcherError):
    """The sandbox cannot run here; the message says why."""


def sandbox(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 0,
    rate: Annotated[float | None, typer.Option(min=0.001, help="Requests per second.")] = None,
    balance: Annotated[float, typer.Option("--credits", help="The account's balance.")] = 1000,
    ring: Annotated[float, typer.Option(min=0, help="Seconds until a call ends.")] = 3,
    latency: Annotated[float, typer.Option(min=0, help="Delay of each answer, in seconds.")] = 0,
    seed: Annotated[
        int | None, typer.Option(help="The same seed gives the same results; default random.")
    ] = None,
    cut: Annotated[
        float, typer.Option(min=0, max=1, help="Chance of an answer cut after the call was placed.")
    ] = 0,
    callback_drop: Annotated[
        float, typer.Option(min=0, max=1, help="Chance that a callback never comes.")
    ] = 0,
    callback_duplicate: Annotated[
        float, typer.Option(min=0, max=1, help="Chance that a callback comes twice.")
    ] = 0,
    callback_delay: Annotated[
        float, typer.Option(min=0, help="Seconds from a call's end to its callback.")
    ] = 0,
) -> None:
    """Run the provider's sandbox. A number's last digits choose the result (docs/sandbox.md)."""
    try:
        from dispatcher.sandbox import SandboxOptions, run  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise SandboxUnavailable(
            f"the sandbox needs {error.name}: install voice-dispatcher[sandbox]"
        ) from None
    try:
        options = SandboxOptions(
            rate=rate,
            credits=balance,
            ring=ring,
            latency=latency,
            cut=cut,
            callback_drop=callback_drop,
            callback_duplicate=callback_duplicate,
            callback_delay=callback_delay,
            seed=SandboxOptions().seed if seed is None else seed,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    try:
        run(options, host=host, port=port, announce=_announce)
    except OSError as error:
        raise SandboxUnavailable(str(error)) from None


def _announce(url: str) -> None:
    typer.echo(f"Provider sandbox listening on {url}")
