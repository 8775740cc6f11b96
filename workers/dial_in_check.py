"""What `doctor` says of calling back: whether those who are called can, and know the number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import typer

from dispatcher.cli import connection
from dispatcher.cli.finding import OK, WARN
from dispatcher.store.slots import NoSlot
from workers.dial_in_commands import NOT_TOLD, OLD, OURS, Account, account_of

PATIENCE = 5.0
"""Seconds: doctor is a health check as well, which ends in time on an account that is busy."""
_SETUP = "`voice-dispatcher dial-in setup NUMBER`"


def examine(context: typer.Context) -> Iterator[tuple[str, str]]:
    """Yield a level and what is said of it, where chains call anybody. Asks the provider once.

    Raises InvalidSettings, NoCredentials, ProviderError, StoreUnavailable.
    """
    published = connection.dispatcher(context).store.on_call.get()
    if published is None or not published.on_call.chains:
        return
    with account_of(context) as account:
        if account.provider.capabilities.dial_in:
            yield _found(account)


def _found(account: Account) -> tuple[str, str]:
    try:
        numbers = account.numbers(PATIENCE)
    except NoSlot as error:
        return OK, f"not asked for: {error}"
    asked = {each.number: account.asks(each) for each in numbers}
    return judged(asked, account.settings.dial_in_number)


def judged(asked: Mapping[str, str], told: str | None) -> tuple[str, str]:
    """Return whether people can call back, by who is asked when somebody calls each number of the
    account's, and the number that calls tell people.
    """
    works = [number for number, asks in asked.items() if asks in {OURS, OLD, NOT_TOLD}]
    if told and told not in asked:
        return WARN, f"calls tell people to call {told}, which the account does not rent"
    if told and told not in works:
        says = f"calls tell people to call {told}, which does not ask this dispatcher"
        return WARN, f"{says}: {_SETUP}"
    if not works:
        says = "no number of the account asks this dispatcher, so nobody can call back"
        return WARN, f"{says}: {_SETUP}, or have people acknowledge alerts in the console"
    if told is None:
        says = (
            f"calls do not tell people what to call back: set DISPATCHER_DIAL_IN_NUMBER={works[0]}"
        )
        return WARN, says
    if asked[told] == OLD:
        return WARN, f"{told} asks this dispatcher by an older key: {_SETUP}"
    known = "; the provider does not tell whom it asks" if asked[told] == NOT_TOLD else ""
    return OK, f"people can call back {told}{known}"
