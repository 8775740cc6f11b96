"""`dial-in`: the account's numbers, and whether this dispatcher is asked when somebody calls one.

It needs the secret keys, so it runs only from a checkout or the image.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from config.settings import InvalidSettings, Settings
from dispatcher.cli import connection, output
from dispatcher.cli.lazy import group
from dispatcher.cli.output import AsJson
from dispatcher.cli.person import DryRun, Note, NoTerminal, Yes, actor, can_be_asked
from dispatcher.cli.provider import connected
from dispatcher.cli.tables import Column, Table
from dispatcher.errors import DispatcherError
from dispatcher.provider import Provider, RentedNumber
from dispatcher.running import FOLDER
from dispatcher.store import Store
from dispatcher.store.slots import Slots
from dispatcher.values.dial_in_urls import PREFIX, dial_in_path, is_genuine
from dispatcher.values.masking import mask_text
from dispatcher.values.webhook_url import origin
from workers.devstack.stack import KEPT_KEY

app = group("Show the account's numbers for people to call back, and have this dispatcher asked.")

OURS, OLD, OTHER, NOBODY, NOT_TOLD = "ours", "ours_old_key", "other", "nobody", "not_told"
_IN_WORDS = {
    OURS: "this dispatcher",
    OLD: "this dispatcher, by an older key: set it up again before that key is taken away",
    NOBODY: "nobody",
    NOT_TOLD: "not told by the provider",
}


class NotRented(DispatcherError):
    """The account does not rent this number."""

    def __init__(self, number: str, rented: list[str]) -> None:
        known = f"it rents {', '.join(rented)}" if rented else "it rents none"
        super().__init__(f"the account does not rent {mask_text(number[:40])!r}: {known}")


@dataclass(frozen=True)
class Account:
    """The account's numbers. Each request to the provider takes one of the account's slots."""

    provider: Provider
    store: Store | None
    settings: Settings

    def numbers(self, patience: float = math.inf) -> tuple[RentedNumber, ...]:
        """Ask for them. Raises ProviderError, and NoSlot where none is free within `patience`
        (seconds).
        """
        with self._slot(patience):
            return self.provider.rented_numbers()

    def number(self, text: str) -> RentedNumber:
        """Return one of them. Raises NotRented, ProviderError."""
        numbers = self.numbers()
        for rented in numbers:
            if rented.number == text:
                return rented
        raise NotRented(text, [rented.number for rented in numbers])

    def ask_us(self, rented: RentedNumber, note: str) -> None:
        """Have this dispatcher asked when somebody calls the number. Raises ProviderError."""
        with self._slot():
            self.provider.set_action_url(rented, our_url(self.settings))
        if self.store:
            self.store.audit.record(actor(), "dial_in.setup", rented.number, note)

    def asks(self, rented: RentedNumber) -> str:
        """Return who is asked when somebody calls the number."""
        return who_is_asked(rented, self.settings)

    def _slot(self, patience: float = math.inf) -> AbstractContextManager[None]:
        if self.store is None:
            return nullcontext()
        return Slots(self.store.limiter).slot(patience, probe=True)


@app.command("show")
def show(context: typer.Context, *, json: AsJson = False) -> None:
    """List the account's numbers, and who is asked when somebody calls one."""
    with account_of(context) as account:
        rows = [_row(rented, account.asks(rented)) for rented in account.numbers()]
    if json:
        output.as_json(rows)
        return
    table = Table("number", Column("asked when somebody calls", least=24))
    for row in rows:
        table.add(row["number"], _words(row["asks"], row["address"]))
    table.show("numbers")


@app.command("setup")
def setup(
    context: typer.Context,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="One that `dial-in show` lists.")],
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
    note: Note = "",
    json: AsJson = False,
) -> None:
    """Have this dispatcher asked when somebody calls a number of the account's."""
    with account_of(context) as account:
        place = origin(our_url(account.settings))
        rented = account.number(number)
        before = _words(account.asks(rented), origin(rented.action_url or ""))
        told = {**_row(rented, account.asks(rented)), "becomes": place, "set": False}
        if dry_run or not _agreed(account.settings, f"{number} asks {before}", place, yes=yes):
            _tell(told, f"{number} asks {before}; it would ask {place}", json=json)
            raise typer.Exit(0 if dry_run else 1)
        account.ask_us(rented, note)
    _tell({**told, "set": True}, f"{number} asks this dispatcher now, at {place}", json=json)


def our_url(settings: Settings) -> str:
    """Return what the provider is to ask. Raises InvalidSettings."""
    if settings.public_url is None:
        raise InvalidSettings(
            "DISPATCHER_PUBLIC_URL is not set: the provider must know where the gateway is,"
            " such as https://voice.example.com"
        )
    return settings.public_url + dial_in_path(settings.secret_keys)


def who_is_asked(rented: RentedNumber, settings: Settings) -> str:
    """Return who is asked when somebody calls a number. Raises InvalidSettings."""
    url = rented.action_url
    if not url:
        return NOT_TOLD if url is None else NOBODY
    if url == our_url(settings):
        return OURS
    place, _, secret = url.rpartition(f"{PREFIX}/")
    genuine = is_genuine(secret, settings.secret_keys)
    return OLD if place == settings.public_url and genuine else OTHER


def settings_of(context: typer.Context) -> Settings:
    """Return the settings, with the secret key and the gateway of an `up` that runs here.

    Raises InvalidSettings.
    """
    running = connection.of(context).running
    given: dict[str, Any] = {}
    kept = Path.cwd() / FOLDER / KEPT_KEY
    if running and kept.exists() and not os.environ.get("DISPATCHER_SECRET_KEY"):
        given["secret_key"] = kept.read_text().strip()
    if running and running.sandbox_url and not os.environ.get("DISPATCHER_PUBLIC_URL"):
        given["public_url"] = running.gateway_url
    return Settings.load(**given)


@contextmanager
def account_of(context: typer.Context) -> Iterator[Account]:
    """Connect to the account that the environment names, or to the sandbox that runs here."""
    settings, store = settings_of(context), None
    with suppress(connection.NoDispatcher):
        store = connection.dispatcher(context).store
    with connected(context) as provider:
        yield Account(provider, store, settings)


def _agreed(settings: Settings, before: str, place: str, *, yes: bool) -> bool:
    """Whether it is to be done: a real account is changed only if somebody says so."""
    if yes or not settings.of_provider.is_real:
        return True
    if not can_be_asked():
        raise NoTerminal(f"{before}, and there is no terminal to ask at: give --yes")
    return typer.confirm(f"{before}. Have it ask {place}?", err=True)


def _row(rented: RentedNumber, asks: str) -> dict[str, Any]:
    """Return a number for programs; of a URL its place alone, as the path may be a secret."""
    place = origin(rented.action_url) if rented.action_url else None
    return {"number": rented.number, "asks": asks, "address": place}


def _words(asks: str, place: str | None) -> str:
    return _IN_WORDS.get(asks, f"another address: {place}")


def _tell(told: dict[str, Any], words: str, *, json: bool) -> None:
    if json:
        output.as_json(told)
    else:
        output.line(words)
