"""The account's provider, as the command line reaches it.

The one module of this package that reads the environment: only the provider's registration knows
the names of its variables, so that they cannot be options.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import typer

from dispatcher.cli import connection
from dispatcher.errors import DispatcherError
from dispatcher.provider import Provider, Registration, Timeouts, UnknownProvider, registry

PROVIDER = "DISPATCHER_PROVIDER"


class NoCredentials(DispatcherError):
    """Nobody said how to log in to the provider."""

    def __init__(self, variables: tuple[str, ...]) -> None:
        super().__init__(
            f"no provider credentials: set {' and '.join(variables)},"
            " or run `voice-dispatcher up` with the sandbox in this directory"
        )


@contextmanager
def connected(context: typer.Context) -> Iterator[Provider]:
    """Connect to the provider that the environment names, or else to the sandbox that runs here.

    Raises NoCredentials, Misconfigured.
    """
    environment: Mapping[str, str] = os.environ
    known = _registration(environment.get(PROVIDER) or registry.DEFAULT)
    if not all(environment.get(each) for each in known.credentials):
        environment = _sandbox(context)
    if not all(environment.get(each) for each in known.credentials):
        raise NoCredentials(known.credentials)
    provider = known.connect(known.settings.read(environment), Timeouts(), 1)
    try:
        yield provider
    finally:
        provider.close()


def _registration(name: str) -> Registration:
    try:
        return registry.registration(name)
    except UnknownProvider as error:
        raise UnknownProvider(f"{PROVIDER}={name!r}: {error}") from None


def _sandbox(context: typer.Context) -> Mapping[str, str]:
    """Return the variables that lead to the sandbox of an `up` in this directory, if one runs."""
    running = connection.of(context).running
    if running is None or running.sandbox_url is None:
        return {}
    from dispatcher.sandbox import SandboxOptions  # noqa: PLC0415 - an extra

    return SandboxOptions().environment(running.sandbox_url)
