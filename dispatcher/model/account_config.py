"""What every dial of the account keeps to; the workers publish it to the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispatcher.model.number_type import NumberType
from dispatcher.model.states import Dnc
from dispatcher.model.unusual import Unusual
from dispatcher.values.rate import Rate

if TYPE_CHECKING:  # it loads what is known of all numbers
    from dispatcher.values.calling_hours import CallingHours


@dataclass(frozen=True, slots=True)
class AccountConfig:
    """Limits of the account and protection of people. Durations in seconds.

    `rate` None is no limit; `margin` and `margin_most` are the parts of a second by which the way
    to the provider is taken to vary, at least and at most; `share` is what status checks are
    sure of while jobs wait to be dialled; after a 429 the working rate is back at `rate` within
    `recovery`; `lease` ends the connection of a request whose process is gone. `gap` and `per_day`
    bound the calls to one number; `one_at_a_time` keeps a second call waiting while one may be
    ringing; `dnc_urgent` says whether urgent jobs obey the do-not-call list.
    `countries` are those that may be called (empty: all), `blocked` those that may not;
    `number_types` may be called besides ordinary numbers.
    Amounts are in credits: `floor` is the least balance that calls need (None: a post-paid
    account, which has no budget either), `expected_cost` what a call is taken to cost, for each
    who is called, until its costs are learned; `warn` the balances at which a warning is given;
    `spend_per_day` what all calls of a day in `zone` may cost, `spend_per_call` what a single
    one may; `hold_unusual` is what of the unusual holds all calls.
    `breaker` failures of the provider in a row hold all calls.
    `webhooks` is how many targets of the account are told of jobs' ends, or with
    `every_change` of every change of their states.
    `replicas` of Redis must have a claim before the provider is asked (None: one, where there is
    one), and with `accept_durable` a new job before its producer is told that it is accepted.
    `lang` is the language of texts and codes whose requests name none.
    """

    rate: Rate | None = None
    margin: float = 0.01
    margin_most: float = 0.025
    share: float = 0.1
    recovery: float = 600
    connections: int = 8
    lease: float = 64
    gap: float = 0
    per_day: int | None = None
    one_at_a_time: bool = True
    dnc_urgent: Dnc = Dnc.OBEY
    hours: CallingHours | None = None
    countries: frozenset[str] = frozenset()
    blocked: frozenset[str] = frozenset()
    number_types: frozenset[NumberType] = frozenset()
    floor: float | None = None
    expected_cost: float = 20
    warn: tuple[float, ...] = ()
    spend_per_day: float | None = None
    spend_per_call: float | None = None
    hold_unusual: frozenset[Unusual] = frozenset()
    zone: str = "UTC"
    breaker: int = 5
    webhooks: int = 0
    every_change: bool = False
    replicas: int | None = None
    accept_durable: bool = False
    lang: str = "en"
