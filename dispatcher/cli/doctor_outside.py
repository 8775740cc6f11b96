"""`doctor` on what lies outside: the gateway's public address, callbacks, and the provider."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from http import HTTPStatus

import requests
import typer

from dispatcher.cli.connection import Connection
from dispatcher.cli.finding import FAIL, OK, WARN, Finding
from dispatcher.cli.provider import NoCredentials, connected
from dispatcher.errors import DispatcherError
from dispatcher.model.callbacks_seen import ENOUGH, CallbacksSeen
from dispatcher.model.states import Reason
from dispatcher.provider import Provider
from dispatcher.values.tls_faults import tls_fault

LAST_HOUR = 3_600_000  # ms
OTHERS = "restart the workers, so that they read the same; a balance check then ends the hold"


def gateway(url: str) -> Finding:
    """Ask the way that callbacks come. From here it may be closed all the same: no failure."""
    try:
        answer = requests.get(f"{url}/readyz", timeout=5, allow_redirects=False)
    except requests.RequestException as error:
        if found := tls_fault(error):
            return Finding("gateway", WARN, f"{url} is not to be trusted from here: {found}")
        why, scheme = type(error).__name__, url.partition(":")[0]
        remedy = f"is it running, and with {scheme}?"
        return Finding("gateway", WARN, f"{url} does not answer ({why}): {remedy}")
    if answer.status_code == HTTPStatus.OK:
        return Finding("gateway", OK, f"{url} is ready")
    says = f"{url} answers {answer.status_code}"
    return Finding("gateway", WARN, f"{says}: see its log, or the proxy in front of it")


def callbacks(at: Connection) -> Iterator[Finding]:
    """Say whether the provider's callbacks are seen to arrive: silence proves nothing otherwise."""
    try:
        store = at.dispatcher().store
        seen, now = store.callbacks.seen(), store.now()
    except DispatcherError:  # said already
        return
    if seen.missing < ENOUGH and not seen.broken:  # which is a problem, and told as such
        yield Finding("callbacks", *arrival(seen, now))


def arrival(seen: CallbacksSeen, now: float) -> tuple[str, str]:
    """Return whether callbacks arrive, as far as is known: a level, and what is said of it."""
    if seen.arrive(now - LAST_HOUR):
        came = "a worker's test came" if (seen.test_passed or 0) > (seen.last or 0) else "one came"
        return OK, f"{came} {_ago(max(seen.last or 0, seen.test_passed or 0), now)}"
    if seen == CallbacksSeen():
        return OK, "none came, and no call has ended"
    says = "none was seen to arrive within an hour, nor a worker's test"
    remedy = "the provider must be able to reach DISPATCHER_PUBLIC_URL"
    return WARN, f"{says}: {remedy}; lost answers are not redialled until one is"


def _ago(moment: float | None, now: float) -> str:
    return "the start" if moment is None else f"{(now - moment) / 60_000:.0f} min ago"


def provider(context: typer.Context, at: Connection) -> Finding:
    """Ask the provider with the credentials of this shell: the workers may have others."""
    try:
        with connected(context) as found:
            balance = _balance(found)
    except NoCredentials as error:
        return Finding("provider", WARN, str(error))
    except DispatcherError as error:
        return Finding("provider", FAIL, str(error))
    told = "it tells no balance" if balance is None else f"balance {float(balance):g} credits"
    if _workers_refused(at):
        says = (
            f"{told} with the credentials of this shell; the provider refuses those of the workers"
        )
        return Finding("provider", FAIL, f"{says}: {OTHERS}")
    floor = _floor(at)
    if balance is not None and floor is not None and balance < floor:
        says = f"{told}, and the floor is {float(floor):g}: no call is placed. Top up the account"
        return Finding("provider", WARN, says)
    return Finding("provider", OK, told)


def _balance(provider: Provider) -> Decimal | None:
    return provider.balance() if provider.capabilities.balance else None


def _floor(at: Connection) -> Decimal | None:
    try:
        return at.dispatcher().store.budget.credit().floor
    except DispatcherError:  # said already
        return None


def _workers_refused(at: Connection) -> bool:
    try:
        return any(hold.name == Reason.AUTH for hold in at.dispatcher().store.holds.all())
    except DispatcherError:  # said already
        return False
