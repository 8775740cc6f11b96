"""The options of `keys create`: what a key may ask for, how often, and at what cost."""

from __future__ import annotations

from typing import Annotated

import typer

from dispatcher.model.api_key import InvalidKeyOptions, Quota
from dispatcher.model.key_rights import DEFAULT_RATE, DEFAULT_SPEND, KeyRights, plain_caller
from dispatcher.model.number_type import NumberType
from dispatcher.model.request_limits import MOST_ATTEMPTS
from dispatcher.model.rights_in_words import ANY, NONE
from dispatcher.model.states import Priority
from dispatcher.store.spending import Spending, SpendingLimit, limit_amount
from dispatcher.values.countries import parse_countries
from dispatcher.values.number_types import parse_number_types
from dispatcher.values.numbers import InvalidNumber

Countries = Annotated[
    list[str] | None,
    typer.Option(
        "--country",
        metavar="CODE",
        help="A country that it may call, such as JP; may be repeated. Default: those of the"
        " account.",
    ),
]
NumberTypes = Annotated[
    list[str] | None,
    typer.Option(
        "--number-type",
        metavar="TYPE",
        help=f"A type of numbers that it may call besides ordinary ones: {', '.join(NumberType)},"
        " or any; may be repeated. The account must allow it, too.",
    ),
]
Callers = Annotated[
    list[str] | None,
    typer.Option(
        "--caller",
        metavar="NUMBER",
        help="A caller that its jobs may show instead of the account's, or any; may be repeated.",
    ),
]
Priorities = Annotated[
    list[Priority] | None,
    typer.Option(
        "--priority",
        help="A priority that its jobs may have; may be repeated. Default: normal and bulk.",
    ),
]
Redials = Annotated[
    int, typer.Option(min=0, max=MOST_ATTEMPTS - 1, help="The most redials of a job.")
]
Hours = Annotated[
    bool, typer.Option("--hours", help="Its jobs may have calling hours of their own, such as any.")
]
Webhooks = Annotated[
    bool, typer.Option("--webhooks", help="Its jobs may name a receiver of their own.")
]
Params = Annotated[
    bool, typer.Option("--params", help="Its jobs may have further form fields for the provider.")
]
DncExempt = Annotated[
    bool, typer.Option("--dnc-exempt", help="Its jobs may call people on the do-not-call list.")
]
Rate = Annotated[
    str | None,
    typer.Option(
        help="Most requests, or new jobs in bulk requests: 50/minute, 1000/day, or none. Default"
        f" with the scope enqueue: {DEFAULT_RATE}."
    ),
]
Spend = Annotated[
    str | None,
    typer.Option(
        help="Spending limit of the client, for all its keys: 500/day, 10000/total, or none."
        f" Default with the scope enqueue, for a client without one: {DEFAULT_SPEND}."
    ),
]
Waiting = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Most jobs of the client that wait at once, instead of what the gateway's settings"
        " say.",
    ),
]
SAFE = KeyRights()


def rights(  # noqa: PLR0917 - one for each option
    countries: list[str] | None,
    number_types: list[str] | None,
    callers: list[str] | None,
    priorities: list[Priority] | None,
    redials: int,
    hours: bool,
    webhooks: bool,
    params: bool,
    dnc_exempt: bool,
) -> KeyRights:
    """Return the rights that the options give. Raises UsageError where one says nothing."""
    types, shown = _split(number_types), _split(callers)
    return KeyRights(
        countries=parse_countries(_split(countries)) if countries else SAFE.countries,
        number_types=None if ANY in types else parse_number_types(types),
        callers=None if ANY in shown else frozenset(map(_caller, shown)),
        priorities=frozenset(priorities) if priorities else SAFE.priorities,
        redials=redials,
        hours=hours,
        webhooks=webhooks,
        params=params,
        dnc_exempt=dnc_exempt,
    )


def _split(texts: list[str] | None) -> list[str]:
    """Return what an option names that may be repeated, or name several with commas between."""
    return [part.strip() for text in texts or () for part in text.split(",") if part.strip()]


def _caller(text: str) -> str:
    try:
        return plain_caller(text)
    except InvalidNumber as error:
        raise InvalidKeyOptions(str(error)) from None


def quota(text: str | None, *, enqueues: bool) -> Quota | None:
    """Return the rate of a key. Raises InvalidKeyOptions."""
    if text is None:
        return Quota.parse(DEFAULT_RATE) if enqueues else None
    return None if text.strip().lower() == NONE else Quota.parse(text)


def spending(
    text: str | None, client: str, limits: Spending, *, enqueues: bool
) -> SpendingLimit | None:
    """Return the spending limit that is to be set for a client; one that is set stays."""
    scope = f"client:{client}"
    if text is None:
        known = not enqueues or any(limit.scope == scope for limit in limits.limits())
        return None if known else SpendingLimit(scope, *limit_amount(DEFAULT_SPEND))
    return None if text.strip().lower() == NONE else SpendingLimit(scope, *limit_amount(text))
