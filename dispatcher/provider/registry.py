"""The providers there are, by name: the one place to which a second one is added."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Final, cast

from dispatcher.provider.base import Registration
from dispatcher.provider.errors import UnknownProvider

PROVIDERS: Final = {"xoxzo": "dispatcher.provider.xoxzo"}
"""Name -> the package that has its `REGISTRATION`."""
DEFAULT: Final = "xoxzo"
"""The provider of an account that names none; jobs are checked by its rules when enqueued."""


@cache
def registration(name: str = DEFAULT) -> Registration:
    """Return what is known of a provider without a connection. Raises UnknownProvider."""
    if name not in PROVIDERS:
        known = sorted(PROVIDERS)
        choice = f"choose one of {', '.join(known)}" if known[1:] else f"the only one is {known[0]}"
        raise UnknownProvider(f"not a provider: {choice}")
    return cast("Registration", import_module(PROVIDERS[name]).REGISTRATION)
